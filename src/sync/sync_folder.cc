#include "sync/sync_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <format>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/file_error.h"
#include "base/text.h"
#include "files/sha256.h"

namespace hangar::sync {
namespace {

namespace fs = std::filesystem;

constexpr char kIncomingEnd[] = ".part";

LocalFile FileOf(const struct stat& state) {
  return {.bytes = state.st_size,
          .modified_ns =
              static_cast<int64_t>(state.st_mtim.tv_sec) * 1'000'000'000 + state.st_mtim.tv_nsec};
}

arrow::Status SyncDirectory(const fs::path& folder) {
  const UniqueDescriptor directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Not open: a folder that may be written but not read.
  if (!directory.is_open() || fsync(directory.get()) == 0) return arrow::Status::OK();
  return FileError("write", folder, errno);
}

// That every folder on the way from `root` to `path` is one, and no link; they are made where
// they are missing and `make` says so.
arrow::Status CheckWay(const fs::path& root, const fs::path& path, bool make) {
  fs::path at = root;
  for (const fs::path& part : path.parent_path()) {
    at /= part;
    struct stat state{};
    if (lstat(at.c_str(), &state) != 0) {
      if (errno != ENOENT || !make) return FileError("find", at, errno);
      if (mkdir(at.c_str(), 0777) == 0 || errno == EEXIST) continue;
      return FileError("make", at, errno);
    }
    if (S_ISDIR(state.st_mode)) continue;
    return Error(ErrorKind::kFailedPrecondition, "{} is {}, which a sync does not go through",
                 Quoted(at.string()), S_ISLNK(state.st_mode) ? "a link" : "no folder");
  }
  return arrow::Status::OK();
}

class ArrivingFile final : public IncomingFile {
 public:
  ArrivingFile(const SyncFolder& folder, std::string target, std::string path,
               UniqueDescriptor file)
      : folder_(folder),
        target_(std::move(target)),
        path_(std::move(path)),
        file_(std::move(file)) {}

  ~ArrivingFile() override {
    if (!published_) unlink(path_.c_str());
  }

  arrow::Status Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = write(file_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return FileError("write", folder_.PathOf(target_), errno);
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return arrow::Status::OK();
  }

  arrow::Status Seal() override {
    return fsync(file_.get()) == 0 ? arrow::Status::OK()
                                   : FileError("write", folder_.PathOf(target_), errno);
  }

  const std::string& path() const override { return path_; }

  arrow::Result<LocalFile> Publish(const LocalFile* expected) override {
    const auto now = folder_.Look(target_);
    const bool is_expected = expected == nullptr ? KindOf(now.status()) == ErrorKind::kNotFound
                                                 : now.ok() && *now == *expected;
    if (!is_expected) {
      if (!now.ok() && KindOf(now.status()) != ErrorKind::kNotFound) return now.status();
      return Error(ErrorKind::kFailedPrecondition, "{} changed meanwhile",
                   Quoted(folder_.PathOf(target_)));
    }
    ARROW_RETURN_NOT_OK(CheckWay(folder_.PathOf(""), target_, /*make=*/true));
    const fs::path target = folder_.PathOf(target_);
    struct stat state{};
    if (fstat(file_.get(), &state) != 0) return FileError("write", target, errno);
    if (rename(path_.c_str(), target.c_str()) != 0) return FileError("write", target, errno);
    published_ = true;
    ARROW_RETURN_NOT_OK(SyncDirectory(target.parent_path()));
    return FileOf(state);
  }

 private:
  const SyncFolder& folder_;
  const std::string target_;
  const std::string path_;
  const UniqueDescriptor file_;
  bool published_ = false;
};

// Of an entry below `root`: what is to be synchronised, or why it is not.
arrow::Status AddEntry(const fs::path& root, const fs::directory_entry& entry,
                       FolderContents* contents) {
  const std::string path = entry.path().lexically_relative(root).string();
  if (!IsParquetName(path)) return arrow::Status::OK();
  struct stat state{};
  if (lstat(entry.path().c_str(), &state) != 0) {
    return errno == ENOENT ? arrow::Status::OK() : FileError("read", entry.path(), errno);
  }
  if (!S_ISREG(state.st_mode)) return arrow::Status::OK();
  const arrow::Status name = CheckSyncPath(path);
  if (name.ok()) {
    contents->files[path] = FileOf(state);
  } else {
    contents->problems.push_back(name.message());
  }
  return arrow::Status::OK();
}

}  // namespace

SyncFolder::SyncFolder(std::string folder) : folder_(std::move(folder)) {}

arrow::Result<std::unique_ptr<SyncFolder>> SyncFolder::Open(const std::string& folder, bool make) {
  std::error_code error;
  if (make) fs::create_directories(folder, error);
  if (!fs::is_directory(folder, error)) {
    return Error(ErrorKind::kNotFound, "there is no folder {}", Quoted(folder));
  }
  fs::path absolute = fs::absolute(folder).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // Without a '/' at its end.
  return std::unique_ptr<SyncFolder>(new SyncFolder(absolute.string()));
}

arrow::Status SyncFolder::Lock() {
  const fs::path own = fs::path(folder_) / kOwnFolder;
  if (mkdir(own.c_str(), 0700) != 0 && errno != EEXIST) return FileError("make", own, errno);
  const fs::path path = own / "lock";
  lock_ = UniqueDescriptor(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_.is_open()) return FileError("write", path, errno);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(ErrorKind::kUnavailable, "another sync runs in {}", Quoted(folder_));
  }
  ClearIncoming();
  return arrow::Status::OK();
}

std::string SyncFolder::state_path() const { return fs::path(folder_) / kOwnFolder / "state.json"; }

std::string SyncFolder::PathOf(const std::string& path) const { return fs::path(folder_) / path; }

arrow::Result<FolderContents> SyncFolder::Scan() const {
  FolderContents contents;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder_, error);  // Follows no links.
  while (!error && entry != fs::recursive_directory_iterator()) {
    const bool hidden = entry->path().filename().string().starts_with('.');
    if (entry->is_symlink(error)) {
      ++contents.links;
    } else if (hidden) {
      entry.disable_recursion_pending();
    } else if (!entry->is_directory(error)) {
      ARROW_RETURN_NOT_OK(AddEntry(folder_, *entry, &contents));
    }
    entry.increment(error);
  }
  if (error) return FileError("read", folder_, error.value());
  return contents;
}

arrow::Result<LocalFile> SyncFolder::Look(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckWay(folder_, path, /*make=*/false));
  const std::string whole = PathOf(path);
  struct stat state{};
  if (lstat(whole.c_str(), &state) != 0) return FileError("find", whole, errno);
  if (S_ISREG(state.st_mode)) return FileOf(state);
  return Error(ErrorKind::kFailedPrecondition, "{} is {}, which a sync leaves alone", Quoted(whole),
               S_ISLNK(state.st_mode) ? "a link" : "no file");
}

arrow::Result<std::string> SyncFolder::Digest(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckWay(folder_, path, /*make=*/false));
  const std::string whole = PathOf(path);
  const UniqueDescriptor file(open(whole.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open()) return FileError("read", whole, errno);
  Sha256 digest;
  std::string piece(1 << 20, '\0');
  ssize_t count = 0;
  while ((count = read(file.get(), piece.data(), piece.size())) > 0 ||
         (count < 0 && errno == EINTR)) {
    if (count > 0) digest.Update(std::string_view(piece).substr(0, static_cast<size_t>(count)));
  }
  if (count < 0) return FileError("read", whole, errno);
  return digest.Finish();
}

arrow::Result<std::unique_ptr<IncomingFile>> SyncFolder::Receive(const std::string& path) const {
  const arrow::Status way = CheckWay(folder_, path, /*make=*/false);
  if (!way.ok() && KindOf(way) != ErrorKind::kNotFound) return way;
  const MutexLock lock(mutex_);
  if (ended_) return Error(ErrorKind::kUnavailable, "the sync is being ended");
  const std::string part =
      fs::path(folder_) / kOwnFolder / std::format("{}{}", received_++, kIncomingEnd);
  UniqueDescriptor file(open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.is_open()) return FileError("write", part, errno);
  return std::make_unique<ArrivingFile>(*this, path, part, std::move(file));
}

arrow::Status SyncFolder::Remove(const std::string& path, const LocalFile& expected) const {
  ARROW_ASSIGN_OR_RAISE(const LocalFile now, Look(path));
  const fs::path whole = PathOf(path);
  if (now != expected) {
    return Error(ErrorKind::kFailedPrecondition, "{} changed meanwhile", Quoted(whole.string()));
  }
  if (unlink(whole.c_str()) != 0) return FileError("remove", whole, errno);
  ARROW_RETURN_NOT_OK(SyncDirectory(whole.parent_path()));
  for (fs::path at = whole.parent_path(); at != folder_ && rmdir(at.c_str()) == 0;) {
    at = at.parent_path();
  }
  return arrow::Status::OK();
}

void SyncFolder::EndIncoming() const {
  const MutexLock lock(mutex_);
  ended_ = true;
  ClearIncoming();
}

void SyncFolder::ClearIncoming() const {
  std::error_code error;
  for (fs::directory_iterator entry(fs::path(folder_) / kOwnFolder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().extension() == kIncomingEnd) unlink(entry->path().c_str());
  }
}

}  // namespace hangar::sync
