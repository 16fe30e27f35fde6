#include "access/watched_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "base/error.h"
#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

constexpr std::chrono::seconds kLookInterval{1};

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

arrow::Status CannotRead(const std::string& path, int error_number) {
  return Error(ErrorKind::kFailedPrecondition, "the file {} cannot be read: {}", Quoted(path),
               std::generic_category().message(error_number));
}

}  // namespace

WatchedFile::Fingerprint WatchedFile::Look() const {
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size_bytes = status.st_size,
          .modified_nanoseconds = Nanoseconds(status.st_mtim),
          .changed_nanoseconds = Nanoseconds(status.st_ctim)};
}

arrow::Result<std::string> WatchedFile::ReadWhole() const {
  const UniqueDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return CannotRead(path_, errno);
  std::string contents;
  std::array<char, 65536> block;
  ssize_t count = 0;
  while ((count = ::read(file.get(), block.data(), block.size())) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 || static_cast<int64_t>(contents.size()) + count > kBytesMax) break;
    contents.append(block.data(), static_cast<size_t>(count));
  }
  if (count != 0) return CannotRead(path_, count < 0 ? errno : EFBIG);
  return contents;
}

arrow::Result<std::string> WatchedFile::Read() {
  const MutexLock lock(mutex_);
  // Looked at before it is read: a change in between is then seen as one.
  last_ = Look();
  next_look_ = std::chrono::steady_clock::now() + kLookInterval;
  return ReadWhole();
}

arrow::Result<std::optional<std::string>> WatchedFile::ReadIfChanged() {
  const MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_look_) return std::nullopt;
  next_look_ = now + kLookInterval;
  const Fingerprint found = Look();
  if (found == last_) return std::nullopt;
  last_ = found;
  ARROW_ASSIGN_OR_RAISE(std::string contents, ReadWhole());
  return contents;
}

}  // namespace hangar
