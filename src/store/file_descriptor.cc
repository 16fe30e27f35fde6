#include "store/file_descriptor.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace hangar {
namespace {

// openat2 answers EAGAIN when a rename elsewhere keeps it from proving that ".." stayed below.
constexpr int kResolveAttemptsMax = 32;

}  // namespace

OrErrno<UniqueDescriptor> OpenBeneath(int folder, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  int error = EAGAIN;
  for (int attempt = 0; attempt < kResolveAttemptsMax; ++attempt) {
    const auto fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return UniqueDescriptor(static_cast<int>(fd));
    error = errno;
    if (error != EINTR && error != EAGAIN) break;
  }
  return std::unexpected(error);
}

OrErrno<UniqueDescriptor> OpenEntry(int folder, const std::string& name, int flags, mode_t mode) {
  for (;;) {
    const int fd = ::openat(folder, name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd >= 0) return UniqueDescriptor(fd);
    if (errno != EINTR) return std::unexpected(errno);
  }
}

int WriteAll(int fd, const void* bytes, int64_t length) {
  const char* next = static_cast<const char*>(bytes);
  while (length > 0) {
    const ssize_t written = ::write(fd, next, static_cast<size_t>(length));
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    next += written;
    length -= written;
  }
  return 0;
}

OrErrno<int64_t> ReadFully(int fd, int64_t offset, int64_t length, void* out) {
  char* const begin = static_cast<char*>(out);
  int64_t done = 0;
  while (done < length) {
    const ssize_t count =
        ::pread(fd, begin + done, static_cast<size_t>(length - done), offset + done);
    if (count < 0) {
      if (errno == EINTR) continue;
      return std::unexpected(errno);
    }
    if (count == 0) break;
    done += count;
  }
  return done;
}

int SyncOnce(int fd, const DurationHistogram& durations) {
  const ScopedDuration duration(durations);
  return ::fsync(fd) == 0 ? 0 : errno;
}

OrErrno<struct statx> StatDescriptor(int fd) {
  struct statx state{};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &state) == 0) return state;
  return std::unexpected(errno);
}

OrErrno<struct statx> StatEntry(int folder, const char* name) {
  struct statx state{};
  constexpr unsigned kWanted = STATX_BASIC_STATS | STATX_BTIME;
  if (::statx(folder, name, AT_SYMLINK_NOFOLLOW, kWanted, &state) == 0) return state;
  return std::unexpected(errno);
}

}  // namespace hangar
