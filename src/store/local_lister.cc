#include "store/local_lister.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/folder_reader.h"
#include "store/local_error.h"
#include "store/local_layout.h"

namespace hangar {
namespace {

// So many names of one folder are held at most; a bigger folder is read again for the next ones.
constexpr size_t kNamesMax = 32 * 1024;

/// A folder on the way from the root to where the walk is. Names in it are those of the keys: a
/// folder's ends in '/', which is also what puts `a-b`, `a/c` and `a0` into the order of the keys.
struct Frame {
  Frame(FolderReader folder_reader, FolderIdentity folder_identity, std::string folder_path)
      : reader(std::move(folder_reader)), identity(folder_identity), path(std::move(folder_path)) {}

  FolderReader reader;
  FolderIdentity identity;
  std::string path;  // "" or "a/b/".
  std::vector<std::string> names;
  size_t next = 0;
  std::string last;      // The greatest name that was taken from `names` so far.
  bool has_more = true;  // Names after those in `names` are still to be read.
};

// Keeps the `kNamesMax` smallest. Returns whether some were left out.
bool KeepSmallest(std::vector<std::string>& names) {
  if (names.size() <= kNamesMax) return false;
  std::ranges::nth_element(names, names.begin() + kNamesMax);
  names.resize(kNamesMax);
  return true;
}

class LocalLister final : public ObjectLister {
 public:
  LocalLister(std::shared_ptr<const LocalRoot> root, ListOptions options)
      : root_(std::move(root)), options_(std::move(options)) {}

  arrow::Result<std::optional<ObjectInfo>> Next() override {
    if (!started_) {
      started_ = true;
      ARROW_RETURN_NOT_OK(Enter(""));
    }
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.names.size()) {
        if (frame.has_more) {
          ARROW_RETURN_NOT_OK(ReadNames(frame));
        } else {
          frames_.pop_back();
        }
        continue;
      }
      frame.last = std::move(frame.names[frame.next++]);
      std::string path = frame.path + frame.last;
      if (path.ends_with('/')) {
        ARROW_RETURN_NOT_OK(Enter(std::move(path)));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(std::optional<ObjectInfo> object, Describe(frame, std::move(path)));
      if (object) return object;
    }
    return std::nullopt;
  }

 private:
  static arrow::Status Failed(int error, const std::string& path) {
    return LocalError(error, Attempt::kList, path.empty() ? "the data folder" : Quoted(path));
  }

  // What is passed over below the root is an error of the root itself.
  static arrow::Status PassOver(int error, const std::string& path) {
    return IsPassedOver(error) && !path.empty() ? arrow::Status::OK() : Failed(error, path);
  }

  /// Steps into a folder, unless the walk is in it already by way of a link.
  arrow::Status Enter(std::string path) {
    auto folder =
        OpenBeneath(root_->root(), path.empty() ? "." : path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    if (!folder) return PassOver(folder.error(), path);
    const auto state = StatDescriptor(folder->get());
    if (!state) return PassOver(state.error(), path);
    const FolderIdentity identity = IdentityOf(*state);
    if (identity == root_->hidden()) return arrow::Status::OK();
    for (const Frame& above : frames_) {
      if (above.identity == identity) return arrow::Status::OK();
    }
    auto reader = FolderReader::Make(std::move(*folder));
    if (!reader) return PassOver(reader.error(), path);
    frames_.emplace_back(std::move(*reader), identity, std::move(path));
    return arrow::Status::OK();
  }

  /// Reads the names after `frame.last`, as many as may be held.
  arrow::Status ReadNames(Frame& frame) {
    frame.names.clear();
    frame.next = 0;
    frame.has_more = false;
    frame.reader.Rewind();
    for (;;) {
      const auto entry = frame.reader.Next();
      if (!entry) {
        // The folder went away in the middle of it.
        if (entry.error() == ENOENT) break;
        return Failed(entry.error(), frame.path);
      }
      if (!*entry) break;
      std::string name = NameOf(frame, **entry);
      if (name.empty() || name <= frame.last) continue;
      frame.names.push_back(std::move(name));
      if (frame.names.size() == 2 * kNamesMax) frame.has_more |= KeepSmallest(frame.names);
    }
    frame.has_more |= KeepSmallest(frame.names);
    std::ranges::sort(frame.names);
    // A folder that changes while it is read may give a name twice.
    const auto repeated = std::ranges::unique(frame.names);
    frame.names.erase(repeated.begin(), repeated.end());
    return arrow::Status::OK();
  }

  /// The entry's name in the order of the keys, or "" when it is not to be listed.
  std::string NameOf(const Frame& frame, const FolderReader::Entry& entry) const {
    if (!IsVisibleName(entry.name)) return {};
    if (frame.path.size() + entry.name.size() > kKeyBytesMax) return {};
    std::string path = frame.path;
    path += entry.name;
    const bool may_be_file = IsFileWanted(path);
    path += '/';
    const bool may_be_folder = frames_.size() < kKeySegmentsMax && IsFolderWanted(path);
    if (!may_be_file && !may_be_folder) return {};
    std::string name(entry.name);
    switch (TypeOf(frame, entry)) {
      case DT_REG:
        return may_be_file ? name : std::string();
      case DT_DIR:
        return may_be_folder ? name + '/' : std::string();
      default:
        return {};
    }
  }

  /// DT_REG, DT_DIR or DT_UNKNOWN of what the entry is or links to.
  unsigned char TypeOf(const Frame& frame, const FolderReader::Entry& entry) const {
    if (entry.type != DT_UNKNOWN && entry.type != DT_LNK) return entry.type;
    if (entry.type == DT_UNKNOWN) {  // Some file systems never say.
      const auto state = StatEntry(frame.reader.folder(), entry.name.data());
      if (!state) return DT_UNKNOWN;
      if (S_ISREG(state->stx_mode)) return DT_REG;
      if (S_ISDIR(state->stx_mode)) return DT_DIR;
      if (!S_ISLNK(state->stx_mode)) return DT_UNKNOWN;
    }
    const auto target = root_->Probe(frame.path + std::string(entry.name));
    if (!target.ok()) return DT_UNKNOWN;
    if (target->kind == Occupant::Kind::kObject) return DT_REG;
    return target->kind == Occupant::Kind::kFolder ? DT_DIR : DT_UNKNOWN;
  }

  bool IsFileWanted(std::string_view path) const {
    return path.starts_with(options_.prefix) && path > options_.after;
  }

  /// Whether a key that is wanted may lie below `path`, which ends in '/'.
  bool IsFolderWanted(std::string_view path) const {
    const std::string_view prefix = options_.prefix;
    const std::string_view after = options_.after;
    return (path.starts_with(prefix) || prefix.starts_with(path)) &&
           (after < path || after.starts_with(path));
  }

  arrow::Result<std::optional<ObjectInfo>> Describe(const Frame& frame, std::string path) const {
    const auto state = StatEntry(frame.reader.folder(), frame.last.c_str());
    if (!state) {
      ARROW_RETURN_NOT_OK(PassOver(state.error(), path));
      return std::nullopt;
    }
    if (S_ISREG(state->stx_mode)) return InfoOf(std::move(path), *state);
    if (!S_ISLNK(state->stx_mode)) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(Occupant target, root_->Probe(path));
    if (target.kind != Occupant::Kind::kObject) return std::nullopt;
    return std::move(target.info);
  }

  const std::shared_ptr<const LocalRoot> root_;
  const ListOptions options_;
  std::vector<Frame> frames_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<ObjectLister> MakeLocalLister(std::shared_ptr<const LocalRoot> root,
                                              ListOptions options) {
  return std::make_unique<LocalLister>(std::move(root), std::move(options));
}

}  // namespace hangar
