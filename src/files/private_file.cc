#include "files/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <format>

#include "base/error.h"
#include "base/file_error.h"
#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kBytesMax = 16 << 20;

arrow::Result<std::string> ReadAll(const UniqueDescriptor& file, const std::string& path) {
  std::string bytes;
  std::string piece(1 << 16, '\0');
  while (true) {
    const ssize_t count = read(file.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("read", path, errno);
    if (count == 0) return bytes;
    bytes.append(piece, 0, static_cast<size_t>(count));
    if (static_cast<int64_t>(bytes.size()) > kBytesMax) {
      return Error(ErrorKind::kInvalidArgument, "cannot read {}: it has more than 16 MiB",
                   Quoted(path));
    }
  }
}

arrow::Status WriteAll(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError("write", path, errno);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return fsync(file) == 0 ? arrow::Status::OK() : FileError("write", path, errno);
}

arrow::Status MakeFolders(const fs::path& folder) {
  if (folder.empty()) return arrow::Status::OK();
  std::error_code error;
  if (fs::is_directory(folder, error)) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(MakeFolders(folder.parent_path()));
  if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return arrow::Status::OK();
  return FileError("make", folder, errno);
}

}  // namespace

arrow::Result<std::optional<std::string>> ReadPrivateFile(const std::string& path) {
  const UniqueDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file.is_open()) return FileError("read", path, errno);
  struct stat state{};
  if (fstat(file.get(), &state) != 0) return FileError("read", path, errno);
  if ((state.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(ErrorKind::kFailedPrecondition,
                 "{} may hold tokens, and others than you may use it: chmod 600 {}", Quoted(path),
                 path);
  }
  if (state.st_uid != geteuid() && state.st_uid != 0) {
    return Error(ErrorKind::kFailedPrecondition, "{} belongs to another user", Quoted(path));
  }
  ARROW_ASSIGN_OR_RAISE(auto bytes, ReadAll(file, path));
  return std::optional(std::move(bytes));
}

arrow::Result<std::string> ReadWholeFile(const std::string& path) {
  const UniqueDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return FileError("read", path, errno);
  return ReadAll(file, path);
}

arrow::Status WritePrivateFile(const std::string& path, std::string_view bytes) {
  const fs::path folder = fs::path(path).parent_path();
  ARROW_RETURN_NOT_OK(MakeFolders(folder));
  const std::string part = std::format("{}.{}.part", path, getpid());
  unlink(part.c_str());  // Of a process of the same number that was killed.
  arrow::Status status;
  {
    const UniqueDescriptor file(open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return FileError("write", path, errno);
    status = WriteAll(file.get(), path, bytes);
  }
  if (status.ok() && rename(part.c_str(), path.c_str()) != 0) {
    status = FileError("write", path, errno);
  }
  if (!status.ok()) {
    unlink(part.c_str());
    return status;
  }
  const UniqueDescriptor parent(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.is_open() && fsync(parent.get()) != 0) return FileError("write", path, errno);
  return arrow::Status::OK();
}

}  // namespace hangar
