#include "store/local_root.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <format>
#include <system_error>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "base/text.h"
#include "store/local_layout.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// So long after its last modification a file is taken to be complete. A program that writes for
// longer in one call of the system is not told from one that is done.
constexpr std::chrono::seconds kSettlingTime{2};

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY;

bool LeadsOut(int error) { return error == EXDEV || error == ELOOP; }

Timestamp TimeOf(const struct statx_timestamp& time) {
  return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

constexpr size_t kVersionDigits = 32;

// By hand and not by std::format, as a listing makes a version for each file.
void AppendHex(uint64_t number, std::string* text) {
  for (int shift = 60; shift >= 0; shift -= 4) *text += "0123456789abcdef"[(number >> shift) & 0xF];
}

std::string VersionOf(const struct statx& state) {
  const bool has_birth = (state.stx_mask & STATX_BTIME) != 0;
  const std::array<int64_t, 6> identity = {
      static_cast<int64_t>(state.stx_ino),
      has_birth ? static_cast<int64_t>(state.stx_btime.tv_sec) : 0,
      has_birth ? static_cast<int64_t>(state.stx_btime.tv_nsec) : 0,
      static_cast<int64_t>(state.stx_mtime.tv_sec),
      static_cast<int64_t>(state.stx_mtime.tv_nsec),
      static_cast<int64_t>(state.stx_size),
  };
  const XXH128_hash_t hash = XXH3_128bits(identity.data(), sizeof(identity));
  std::string version;
  version.reserve(kVersionDigits);
  AppendHex(hash.high64, &version);
  AppendHex(hash.low64, &version);
  return version;
}

// Errors for whoever starts the server: these do name the folder.
arrow::Status CannotUse(const std::string& path, int error) {
  const std::string folder = std::format("the data folder '{}'", path);
  switch (error) {
    case ENOTDIR:
    case EEXIST:
      return Error(ErrorKind::kFailedPrecondition,
                   "{} cannot be used: it, or a part of its path, is a file and not a folder",
                   folder);
    case EACCES:
    case EPERM:
      return Error(ErrorKind::kPermissionDenied,
                   "{} cannot be used: the server's user may not write there", folder);
    case EROFS:
      return Error(ErrorKind::kPermissionDenied,
                   "{} cannot be used: it is on a read-only file system", folder);
    case ENOSPC:
    case EDQUOT:
      return Error(ErrorKind::kResourceExhausted, "{} cannot be used: its disk is full", folder);
    case ENOSYS:
      return Error(ErrorKind::kFailedPrecondition,
                   "{} cannot be used: the kernel has no openat2; Linux 5.6 or newer is needed",
                   folder);
    default:
      return Error(ErrorKind::kFailedPrecondition, "{} cannot be used: {}", folder,
                   std::generic_category().message(error));
  }
}

// Makes the folder where it is missing and opens it.
OrErrno<UniqueDescriptor> OpenRoot(const std::string& path) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(path, error);
  if (error) return std::unexpected(error.value());
  int fd = -1;
  do {
    fd = ::open(path.c_str(), kFolderFlags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return std::unexpected(errno);
  UniqueDescriptor root(fd);
  // Any number of folders above may be new; this is once, and covers them all.
  if (made && ::syncfs(root.get()) != 0) return std::unexpected(errno);
  // Also says no for a file system that is read-only to root.
  if (::faccessat(root.get(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
    return std::unexpected(errno);
  }
  return root;
}

OrErrno<UniqueDescriptor> MakeHiddenFolder(int parent, const char* name) {
  if (::mkdirat(parent, name, 0700) != 0 && errno != EEXIST) return std::unexpected(errno);
  OrErrno<UniqueDescriptor> folder = OpenEntry(parent, name, kFolderFlags);
  if (!folder) return folder;
  if (::faccessat(folder->get(), ".", R_OK | W_OK | X_OK, AT_EACCESS) != 0) {
    return std::unexpected(errno);
  }
  return folder;
}

arrow::Status FolderInTheWay(const std::string& key) {
  return Error(ErrorKind::kFailedPrecondition,
               "{} is a folder of datasets and cannot be a dataset itself", Quoted(key));
}

arrow::Status CheckReplaceable(const std::string& key, const Occupant& occupant) {
  switch (occupant.kind) {
    case Occupant::Kind::kNothing:
    case Occupant::Kind::kObject:
    case Occupant::Kind::kFolder:  // It may be empty.
      return arrow::Status::OK();
    case Occupant::Kind::kLinkOut:
      return Error(ErrorKind::kFailedPrecondition, "{} is a link that leads out of the data folder",
                   Quoted(key));
    case Occupant::Kind::kOther:
      return Error(ErrorKind::kFailedPrecondition,
                   "something that is not a plain file is in the place of {}", Quoted(key));
  }
  return arrow::Status::OK();
}

// Why the folder `path` on the way to `subject` cannot be entered.
arrow::Status CannotEnter(int error, std::string_view path, const std::string& subject,
                          Attempt attempt) {
  if (error == ENOTDIR) {
    return Error(ErrorKind::kFailedPrecondition,
                 "{} cannot be stored: {} is a dataset and not a folder", subject, Quoted(path));
  }
  if (LeadsOut(error)) {
    return Error(ErrorKind::kFailedPrecondition,
                 "{} cannot be stored: {} is a link that leads out of the data folder", subject,
                 Quoted(path));
  }
  return LocalError(error, attempt, subject);
}

}  // namespace

FolderIdentity IdentityOf(const struct statx& state) {
  return {(static_cast<uint64_t>(state.stx_dev_major) << 32) | state.stx_dev_minor, state.stx_ino};
}

ObjectInfo InfoOf(std::string key, const struct statx& state) {
  const Timestamp modified = TimeOf(state.stx_mtime);
  return {.key = std::move(key),
          .version = VersionOf(state),
          .size_bytes = static_cast<int64_t>(state.stx_size),
          .modified = modified,
          // Times that lie ahead were set on purpose: what is being written has the present one.
          .settled = std::chrono::abs(Now() - modified) > kSettlingTime};
}

arrow::Status NotAnObject(const std::string& key, const Occupant& occupant) {
  switch (occupant.kind) {
    case Occupant::Kind::kFolder:
      return Error(ErrorKind::kNotFound, "there is no dataset {}: it is a folder", Quoted(key));
    case Occupant::Kind::kLinkOut:
      return Error(ErrorKind::kNotFound,
                   "there is no dataset {}: a link there leads out of the data folder",
                   Quoted(key));
    case Occupant::Kind::kOther:
      return Error(ErrorKind::kNotFound, "there is no dataset {}: it is not a plain file",
                   Quoted(key));
    case Occupant::Kind::kNothing:
    case Occupant::Kind::kObject:
      break;
  }
  return NoSuchObject(key);
}

arrow::Status FolderChain::MakeDurable(std::string_view subject) const {
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    if (const int error = SyncOnce(folder->get(), syncs_)) {
      return LocalError(error, Attempt::kMakeDurable, subject);
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<LocalRoot>> LocalRoot::Open(const std::string& path,
                                                          const SyncDurations& syncs) {
  if (path.empty()) return Error(ErrorKind::kInvalidArgument, "the data folder's name is empty");
  auto root = OpenRoot(path);
  if (!root) return CannotUse(path, root.error());
  auto hidden = MakeHiddenFolder(root->get(), kHiddenFolder);
  if (!hidden) return CannotUse(path, hidden.error());
  auto staging = MakeHiddenFolder(hidden->get(), kStagingFolder);
  if (!staging) return CannotUse(path, staging.error());
  auto lock = OpenEntry(hidden->get(), kLockFile, O_RDWR | O_CREAT, 0600);
  if (!lock) return CannotUse(path, lock.error());
  auto state = StatDescriptor(hidden->get());
  if (!state) return CannotUse(path, state.error());
  // Shows at once whether the kernel can do what every access will need.
  if (auto probe = OpenBeneath(root->get(), ".", kFolderFlags); !probe) {
    return CannotUse(path, probe.error());
  }
  return std::make_shared<LocalRoot>(std::move(*root), std::move(*staging), std::move(*lock),
                                     IdentityOf(*state), syncs);
}

Timestamp LocalRoot::NextTime() {
  const Timestamp now = Now();
  int64_t last = last_time_ns_.load();
  int64_t next = 0;
  do {
    next = std::max<int64_t>(now.time_since_epoch().count(), last + 1);
  } while (!last_time_ns_.compare_exchange_weak(last, next));
  return Timestamp(std::chrono::nanoseconds(next));
}

arrow::Result<Occupant> LocalRoot::Probe(const std::string& key) const {
  using Kind = Occupant::Kind;
  const auto file = OpenBeneath(root_.get(), key, O_PATH);
  if (!file) {
    if (file.error() == ENOENT || file.error() == ENOTDIR) return Occupant{Kind::kNothing, {}};
    if (LeadsOut(file.error())) return Occupant{Kind::kLinkOut, {}};
    return LocalError(file.error(), Attempt::kRead, Quoted(key));
  }
  const auto state = StatDescriptor(file->get());
  if (!state) return LocalError(state.error(), Attempt::kRead, Quoted(key));
  if (S_ISDIR(state->stx_mode)) return Occupant{Kind::kFolder, {}};
  if (!S_ISREG(state->stx_mode)) return Occupant{Kind::kOther, {}};
  return Occupant{Kind::kObject, InfoOf(key, *state)};
}

arrow::Result<std::optional<UniqueDescriptor>> LocalRoot::OpenFolderOf(const std::string& key,
                                                                       Attempt attempt) const {
  const std::string path(FolderOf(key));
  auto folder = OpenBeneath(root_.get(), path.empty() ? "." : path, kFolderFlags);
  if (folder) return std::move(*folder);
  if (folder.error() == ENOENT || folder.error() == ENOTDIR) return std::nullopt;
  return CannotEnter(folder.error(), path, Quoted(key), attempt);
}

arrow::Result<std::optional<FolderChain>> LocalRoot::MakeFoldersOf(
    const std::string& key, Attempt attempt, const std::string& subject) const {
  FolderChain chain(syncs_.folders);
  auto root = OpenBeneath(root_.get(), ".", kFolderFlags);
  if (!root) return LocalError(root.error(), attempt, subject);
  chain.Add(std::move(*root));
  for (size_t end = key.find('/'); end != std::string::npos; end = key.find('/', end + 1)) {
    const std::string path = key.substr(0, end);
    auto folder = OpenBeneath(root_.get(), path, kFolderFlags);
    if (!folder && folder.error() == ENOENT) {
      const std::string leaf(LeafOf(path));
      const int error = ::mkdirat(chain.innermost(), leaf.c_str(), 0777) == 0 ? 0 : errno;
      if (error == ENOENT) return std::nullopt;
      if (error != 0 && error != EEXIST) return LocalError(error, attempt, subject);
      if (const auto state = StatEntry(chain.innermost(), leaf.c_str());
          state && S_ISLNK(state->stx_mode)) {
        return Error(ErrorKind::kFailedPrecondition,
                     "{} cannot be stored: {} is a link that leads nowhere", subject, Quoted(path));
      }
      folder = OpenBeneath(root_.get(), path, kFolderFlags);
      if (!folder && folder.error() == ENOENT) return std::nullopt;
    }
    if (!folder) return CannotEnter(folder.error(), path, subject, attempt);
    chain.Add(std::move(*folder));
  }
  return chain;
}

arrow::Result<FolderChain> LocalRoot::MoveTo(int folder, const std::string& name,
                                             const std::string& key, const Occupant& occupant,
                                             bool only_if_absent, Attempt attempt) const {
  ARROW_RETURN_NOT_OK(CheckReplaceable(key, occupant));
  const std::string leaf(LeafOf(key));
  unsigned flags = only_if_absent ? RENAME_NOREPLACE : 0;
  for (int tries = 0; tries < kFolderAttemptsMax; ++tries) {
    ARROW_ASSIGN_OR_RAISE(std::optional<FolderChain> chain,
                          MakeFoldersOf(key, attempt, Quoted(key)));
    if (!chain) continue;
    const int to = chain->innermost();
    // An empty folder holds no dataset: something else left it behind, or is about to use it and
    // makes it again.
    if (occupant.kind == Occupant::Kind::kFolder &&
        ::unlinkat(to, leaf.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
      if (errno == ENOTEMPTY || errno == EEXIST) return FolderInTheWay(key);
      return LocalError(errno, attempt, Quoted(key));
    }
    int error = ::renameat2(folder, name.c_str(), to, leaf.c_str(), flags) == 0 ? 0 : errno;
    // NFS knows no RENAME_NOREPLACE. The key's lock still keeps other Hangars away.
    if (error == EINVAL && flags != 0) {
      flags = 0;
      error = ::renameat2(folder, name.c_str(), to, leaf.c_str(), flags) == 0 ? 0 : errno;
    }
    switch (error) {
      case 0:
        return std::move(*chain);
      case ENOENT:
        continue;
      case EEXIST:
        return Error(ErrorKind::kAlreadyExists, "{} exists already", Quoted(key));
      case EISDIR:
        return FolderInTheWay(key);
      case EXDEV:
        return Error(ErrorKind::kFailedPrecondition,
                     "{} cannot be stored: its folder is on another file system than the rest of "
                     "the data folder",
                     Quoted(key));
      default:
        return LocalError(error, attempt, Quoted(key));
    }
  }
  return Error(ErrorKind::kUnavailable, "the folder of {} is being changed; try again",
               Quoted(key));
}

void LocalRoot::PruneFoldersOf(const std::string& key) const {
  for (std::string path(FolderOf(key)); !path.empty(); path = FolderOf(path)) {
    const auto parent = OpenFolderOf(path, Attempt::kDelete);
    if (!parent.ok() || !parent->has_value()) return;
    const std::string leaf(LeafOf(path));
    if (::unlinkat((*parent)->get(), leaf.c_str(), AT_REMOVEDIR) != 0) return;
  }
}

}  // namespace hangar
