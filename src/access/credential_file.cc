#include "access/credential_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "access/watched_file.h"
#include "base/error.h"
#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

constexpr mode_t kModeOfNew = 0600;
// Others get nothing; a group that could read goes on so, as the server's own may be that.
constexpr mode_t kModeKept = 0640;

arrow::Status Failed(std::string_view what, const std::string& path) {
  return Error(ErrorKind::kFailedPrecondition, "{} {}: {}", what, Quoted(path),
               std::strerror(errno));
}

// The file that the path leads to, so that a link stays a link.
std::string Resolved(const std::string& path) {
  std::error_code error;
  const auto resolved = std::filesystem::canonical(path, error);
  return error ? path : resolved.string();
}

std::string FolderOf(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// A file beside the one to be replaced, which goes unless it took that one's place.
class Replacement {
 public:
  explicit Replacement(const std::string& path)
      : path_(path + ".XXXXXX"), file_(::mkostemp(path_.data(), O_CLOEXEC)) {}
  ~Replacement() {
    if (!is_done_ && file_.is_open()) ::unlink(path_.c_str());
  }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  arrow::Status Write(std::string_view text) {
    if (!file_.is_open()) return Failed("cannot make", path_);
    while (!text.empty()) {
      const ssize_t written = ::write(file_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("cannot write", path_);
      text.remove_prefix(static_cast<size_t>(written));
    }
    return arrow::Status::OK();
  }

  arrow::Status TakeAfter(const struct stat& old) {
    struct stat own;
    if (::fstat(file_.get(), &own) != 0) return Failed("cannot look at", path_);
    const bool is_others = own.st_uid != old.st_uid || own.st_gid != old.st_gid;
    // The server would no longer be able to read what was its own.
    if (is_others && ::fchown(file_.get(), old.st_uid, old.st_gid) != 0) {
      return Failed("cannot keep the owner and group of", path_);
    }
    if (::fchmod(file_.get(), (old.st_mode & kModeKept) | kModeOfNew) != 0) {
      return Failed("cannot keep the mode of", path_);
    }
    return arrow::Status::OK();
  }

  arrow::Status MoveTo(const std::string& path) {
    if (::fsync(file_.get()) != 0) return Failed("cannot write", path_);
    if (::rename(path_.c_str(), path.c_str()) != 0) return Failed("cannot replace", path);
    is_done_ = true;
    return arrow::Status::OK();
  }

 private:
  std::string path_;
  const UniqueDescriptor file_;
  bool is_done_ = false;
};

arrow::Status ReplaceFile(const std::string& path, std::string_view text, int folder) {
  Replacement replacement(path);
  ARROW_RETURN_NOT_OK(replacement.Write(text));
  struct stat old;
  if (::stat(path.c_str(), &old) == 0) {
    ARROW_RETURN_NOT_OK(replacement.TakeAfter(old));
  } else if (errno != ENOENT) {
    return Failed("cannot look at", path);
  }
  ARROW_RETURN_NOT_OK(replacement.MoveTo(path));
  if (::fsync(folder) != 0) return Failed("cannot make durable what was written to", path);
  return arrow::Status::OK();
}

}  // namespace

arrow::Status ChangeCredentialFile(
    const std::string& path,
    const std::function<arrow::Result<std::string>(const std::string& text)>& change) {
  const std::string file = Resolved(path);
  const UniqueDescriptor folder(::open(FolderOf(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return Failed("cannot open the folder of", path);
  while (::flock(folder.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return Failed("cannot lock the folder of", path);
  }
  std::string before;
  auto read = ReadCredentialFile(file);
  if (read.ok()) {
    before = *std::move(read);
  } else if (KindOf(read.status()) != ErrorKind::kNotFound) {
    return read.status();
  }
  ARROW_ASSIGN_OR_RAISE(const std::string after, change(before));
  return ReplaceFile(file, after, folder.get());
}

arrow::Result<std::string> ReadCredentialFile(const std::string& path) {
  struct stat state;
  if (::stat(path.c_str(), &state) != 0 && errno == ENOENT) {
    return Error(ErrorKind::kNotFound, "the file {} is not there", Quoted(path));
  }
  return WatchedFile(path).Read();
}

}  // namespace hangar
