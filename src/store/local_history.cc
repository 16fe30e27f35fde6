#include "store/local_history.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/folder_reader.h"
#include "store/local_error.h"
#include "store/local_file.h"
#include "store/local_layout.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

std::string HistoryPath(const std::string& key, const std::string& entry) {
  return HistoryFolderOf(key) + "/" + entry;
}

// A file that belongs to someone else may not be linked (protected_hardlinks), nor may any on some
// file systems.
bool CannotLink(int error) {
  return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK ||
         error == EXDEV;
}

bool IsFull(int error) { return error == ENOSPC || error == EDQUOT; }

std::string SubjectOf(const std::string& key) { return "the history of " + Quoted(key); }

// The retired file `entry` of the open history folder of a key; nullopt for what is not one, or not
// any more.
arrow::Result<std::optional<RetiredObject>> DescribeEntry(int folder, const std::string& key,
                                                          const char* entry) {
  const auto name = ParseRetiredName(entry);
  if (!name) return std::nullopt;
  const auto state = StatEntry(folder, entry);
  if (!state && state.error() == ENOENT) return std::nullopt;
  if (!state) return LocalError(state.error(), Attempt::kList, SubjectOf(key));
  if (!S_ISREG(state->stx_mode)) return std::nullopt;
  return RetiredObject{.object = InfoOf(key, *state),
                       .retired = name->retired,
                       .by = name->by,
                       .held_until = name->held_until,
                       .entry = entry};
}

// The latest first; none when there is no such folder.
arrow::Result<std::vector<RetiredObject>> ReadHistoryFolder(UniqueDescriptor folder,
                                                            const std::string& key) {
  auto reader = FolderReader::Make(std::move(folder));
  if (!reader) return LocalError(reader.error(), Attempt::kList, SubjectOf(key));
  std::vector<RetiredObject> retired;
  for (;;) {
    const auto entry = reader->Next();
    if (!entry && entry.error() == ENOENT) break;  // The folder was removed meanwhile.
    if (!entry) return LocalError(entry.error(), Attempt::kList, SubjectOf(key));
    if (!*entry) break;
    ARROW_ASSIGN_OR_RAISE(auto described,
                          DescribeEntry(reader->folder(), key, (*entry)->name.data()));
    if (described) retired.push_back(*std::move(described));
  }
  std::ranges::sort(retired, std::greater(), &RetiredObject::entry);
  // A folder that changes while it is read may give an entry twice.
  const auto repeated = std::ranges::unique(retired, {}, &RetiredObject::entry);
  retired.erase(repeated.begin(), repeated.end());
  return retired;
}

arrow::Result<std::optional<UniqueDescriptor>> OpenHistoryFolder(const LocalRoot& root,
                                                                 const std::string& key,
                                                                 Attempt attempt) {
  return root.OpenFolderOf(HistoryPath(key, "."), attempt);
}

// False also when there is nothing of that name.
arrow::Result<bool> IsPlainFile(int folder, const std::string& leaf, const std::string& key) {
  const auto state = StatEntry(folder, leaf.c_str());
  if (!state && state.error() == ENOENT) return false;
  if (!state) return LocalError(state.error(), Attempt::kRead, Quoted(key));
  return S_ISREG(state->stx_mode);
}

// As LocalRoot::MakeFoldersOf, with errors that name the key and not the hidden folder.
arrow::Result<std::optional<FolderChain>> MakeHistoryFolder(const LocalRoot& root,
                                                            const std::string& key,
                                                            const std::string& path) {
  auto chain = root.MakeFoldersOf(path, Attempt::kWrite, SubjectOf(key));
  if (chain.ok() || KindOf(chain.status()) != ErrorKind::kFailedPrecondition) return chain;
  return Error(ErrorKind::kFailedPrecondition,
               "{} cannot be stored: something is in the place of its folder", SubjectOf(key));
}

}  // namespace

RetiredLink& RetiredLink::operator=(RetiredLink&& other) noexcept {
  std::swap(root_, other.root_);
  std::swap(folders_, other.folders_);
  std::swap(path_, other.path_);
  return *this;
}

RetiredLink::~RetiredLink() {
  if (path_.empty()) return;
  ::unlinkat(folders_.innermost(), std::string(LeafOf(path_)).c_str(), 0);
  root_->PruneFoldersOf(path_);
}

arrow::Result<RetiredLink> RetiredLink::Make(LocalRoot& root, const std::string& key,
                                             RetiredBy by) {
  ARROW_ASSIGN_OR_RAISE(const auto folder, root.OpenFolderOf(key, Attempt::kPublish));
  if (!folder) return RetiredLink();
  const std::string leaf(LeafOf(key));
  for (int tries = 0; tries < kFolderAttemptsMax; ++tries) {
    ARROW_ASSIGN_OR_RAISE(const bool is_file, IsPlainFile(folder->get(), leaf, key));
    if (!is_file) return RetiredLink();
    const std::string entry = FormatRetiredName({.retired = root.NextTime(), .by = by});
    const std::string path = HistoryPath(key, entry);
    ARROW_ASSIGN_OR_RAISE(auto chain, MakeHistoryFolder(root, key, path));
    if (!chain) continue;
    if (::linkat(folder->get(), leaf.c_str(), chain->innermost(), entry.c_str(), 0) != 0) {
      const int error = errno;
      if (error == ENOENT || error == EEXIST) continue;
      root.PruneFoldersOf(path);
      if (CannotLink(error)) return RetiredLink();
      return LocalError(error, Attempt::kPublish, Quoted(key));
    }
    RetiredLink link;
    link.root_ = &root;
    link.folders_ = *std::move(chain);
    link.path_ = path;
    ARROW_RETURN_NOT_OK(link.folders_.MakeDurable(SubjectOf(key)));
    return link;
  }
  return Error(ErrorKind::kUnavailable, "the history of {} is being changed; try again",
               Quoted(key));
}

arrow::Result<bool> MoveToHistory(LocalRoot& root, int folder, const std::string& leaf,
                                  const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(const bool is_file, IsPlainFile(folder, leaf, key));
  if (!is_file) return false;
  for (int tries = 0; tries < kFolderAttemptsMax; ++tries) {
    const std::string entry =
        FormatRetiredName({.retired = root.NextTime(), .by = RetiredBy::kDropped});
    const std::string path = HistoryPath(key, entry);
    auto chain = MakeHistoryFolder(root, key, path);
    if (!chain.ok()) {
      // To drop something is how a full disk gets room.
      if (KindOf(chain.status()) == ErrorKind::kStorageFull) return false;
      return chain.status();
    }
    if (!*chain) continue;
    if (::renameat2(folder, leaf.c_str(), (*chain)->innermost(), entry.c_str(), 0) == 0) {
      ARROW_RETURN_NOT_OK((*chain)->MakeDurable("the deletion of " + Quoted(key)));
      return true;
    }
    const int error = errno;
    root.PruneFoldersOf(path);
    if (IsFull(error) || error == EXDEV) return false;
    if (error != ENOENT) return LocalError(error, Attempt::kDelete, Quoted(key));
    if (!StatEntry(folder, leaf.c_str())) return NoSuchObject(key);
  }
  return Error(ErrorKind::kUnavailable, "the history of {} is being changed; try again",
               Quoted(key));
}

arrow::Result<std::vector<RetiredObject>> ListLocalRetired(const LocalRoot& root,
                                                           const std::string& key) {
  ARROW_ASSIGN_OR_RAISE(auto folder, OpenHistoryFolder(root, key, Attempt::kList));
  if (!folder) return std::vector<RetiredObject>();
  return ReadHistoryFolder(*std::move(folder), key);
}

const RetiredObject* FindRetired(const std::vector<RetiredObject>& retired,
                                 const std::string& version) {
  const auto found = std::ranges::find(
      retired, version, [](const RetiredObject& entry) { return entry.object.version; });
  return found == retired.end() ? nullptr : &*found;
}

arrow::Result<std::unique_ptr<ObjectReader>> OpenLocalRetired(const LocalRoot& root,
                                                              const std::string& key,
                                                              const std::string& version) {
  for (int tries = 0; tries < kFolderAttemptsMax; ++tries) {
    ARROW_ASSIGN_OR_RAISE(auto folder, OpenHistoryFolder(root, key, Attempt::kRead));
    if (!folder) break;
    auto again = OpenEntry(folder->get(), ".", O_RDONLY | O_DIRECTORY);
    if (!again) return LocalError(again.error(), Attempt::kRead, SubjectOf(key));
    ARROW_ASSIGN_OR_RAISE(const auto retired, ReadHistoryFolder(*std::move(again), key));
    const RetiredObject* const entry = FindRetired(retired, version);
    if (entry == nullptr) break;
    auto file = OpenEntry(folder->get(), entry->entry, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    // It was held, restored or purged meanwhile.
    if (!file && file.error() == ENOENT) continue;
    if (!file) return LocalError(file.error(), Attempt::kRead, Quoted(key));
    const auto state = StatDescriptor(file->get());
    if (!state) return LocalError(state.error(), Attempt::kRead, Quoted(key));
    ObjectInfo info = InfoOf(key, *state);
    if (info.version != version) continue;
    return MakeLocalReader(*std::move(file), std::move(info));
  }
  return NotRetired(key, version);
}

arrow::Status HoldLocalRetired(const LocalRoot& root, const std::string& key,
                               const std::string& version, Timestamp until) {
  ARROW_ASSIGN_OR_RAISE(const auto retired, ListLocalRetired(root, key));
  const RetiredObject* const entry = FindRetired(retired, version);
  if (entry == nullptr) return NotRetired(key, version);
  if (entry->held_until >= until) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto folder, OpenHistoryFolder(root, key, Attempt::kRead));
  if (!folder) return NotRetired(key, version);
  const std::string held =
      FormatRetiredName({.retired = entry->retired, .by = entry->by, .held_until = until});
  if (::renameat2(folder->get(), entry->entry.c_str(), folder->get(), held.c_str(), 0) != 0) {
    if (errno == ENOENT) return NotRetired(key, version);
    return LocalError(errno, Attempt::kRename, SubjectOf(key));
  }
  return arrow::Status::OK();
}

arrow::Status PurgeLocalRetired(const LocalRoot& root, const RetiredObject& retired) {
  const std::string& key = retired.object.key;
  ARROW_ASSIGN_OR_RAISE(const auto folder, OpenHistoryFolder(root, key, Attempt::kDelete));
  if (!folder) return arrow::Status::OK();
  if (::unlinkat(folder->get(), retired.entry.c_str(), 0) != 0 && errno != ENOENT) {
    return LocalError(errno, Attempt::kDelete, SubjectOf(key));
  }
  root.PruneFoldersOf(HistoryPath(key, retired.entry));
  return arrow::Status::OK();
}

namespace {

/// The history is a tree of folders, each of which can be a key's, hold those of other keys, or
/// both. Its names are those of the keys, where "a" stands for the folder as a key's and "a/" for
/// what lies below it, which puts `a`, `a-b` and `a/c` into the order of the keys.
class LocalRetiredLister final : public KeyLister {
 public:
  LocalRetiredLister(std::shared_ptr<const LocalRoot> root, ListOptions options)
      : root_(std::move(root)), options_(std::move(options)) {}

  arrow::Result<std::optional<std::string>> Next() override {
    if (!started_) {
      started_ = true;
      ARROW_RETURN_NOT_OK(Enter(""));
    }
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.names.empty()) {
        levels_.pop_back();
        continue;
      }
      std::string path = level.path + level.names.back();
      level.names.pop_back();
      if (path.ends_with('/')) {
        ARROW_RETURN_NOT_OK(Enter(std::move(path)));
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const auto retired, ListLocalRetired(*root_, path));
      if (!retired.empty()) return path;
    }
    return std::nullopt;
  }

 private:
  struct Level {
    std::string path;                // "" or "a/b/".
    std::vector<std::string> names;  // The next one last.
  };

  arrow::Status Enter(std::string path) {
    ARROW_ASSIGN_OR_RAISE(auto folder, OpenHistoryFolder(*root_, path, Attempt::kList));
    if (!folder || levels_.size() >= kKeySegmentsMax) return arrow::Status::OK();
    auto reader = FolderReader::Make(*std::move(folder));
    if (!reader) return LocalError(reader.error(), Attempt::kList, "the history");
    Level level{.path = std::move(path), .names = {}};
    for (;;) {
      const auto entry = reader->Next();
      if (!entry && entry.error() == ENOENT) break;
      if (!entry) return LocalError(entry.error(), Attempt::kList, "the history");
      if (!*entry) break;
      AddNames(level, std::string((*entry)->name));
    }
    std::ranges::sort(level.names, std::greater());
    levels_.push_back(std::move(level));
    return arrow::Status::OK();
  }

  void AddNames(Level& level, const std::string& name) const {
    if (!IsVisibleName(name)) return;  // A retired file.
    const std::string path = level.path + name;
    if (path.starts_with(options_.prefix) && path > options_.after) level.names.push_back(name);
    const std::string below = path + "/";
    const bool has_prefix =
        below.starts_with(options_.prefix) || options_.prefix.starts_with(below);
    if (has_prefix && (options_.after < below || options_.after.starts_with(below))) {
      level.names.push_back(name + "/");
    }
  }

  const std::shared_ptr<const LocalRoot> root_;
  const ListOptions options_;
  std::vector<Level> levels_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<KeyLister> MakeLocalRetiredLister(std::shared_ptr<const LocalRoot> root,
                                                  ListOptions options) {
  return std::make_unique<LocalRetiredLister>(std::move(root), std::move(options));
}

}  // namespace hangar
