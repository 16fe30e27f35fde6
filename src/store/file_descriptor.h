#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

#include "metrics/metrics.h"

namespace hangar {

/// A value, or the errno of the system call that failed.
template <typename T>
using OrErrno = std::expected<T, int>;

/// Owns an open file descriptor and closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor();

  int get() const { return fd_; }
  /// Gives the descriptor up without closing it.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// System calls with their short counts and interruptions dealt with. Functions that return an int
// return 0 or an errno. All descriptors are opened close-on-exec.

/// Opens `path` below `folder`, following links as long as they stay below it: EXDEV when the path
/// leads out, ELOOP when links go round in circles (openat2(2), RESOLVE_BENEATH).
OrErrno<FileDescriptor> OpenBeneath(int folder, const std::string& path, int flags,
                                    mode_t mode = 0);

/// Opens the entry `name` of `folder`; a link in its place is ELOOP.
OrErrno<FileDescriptor> OpenEntry(int folder, const std::string& name, int flags, mode_t mode = 0);

int WriteAll(int fd, const void* bytes, int64_t length);

/// Returns how many bytes were read: fewer than `length` only where the file ends.
OrErrno<int64_t> ReadFully(int fd, int64_t offset, int64_t length, void* out);

/// Tried once: after a failed fsync the kernel may have dropped the pages, and a second one that
/// succeeds would prove nothing. `durations` notes how long it took.
int SyncOnce(int fd, const DurationHistogram& durations);

OrErrno<struct statx> StatDescriptor(int fd);

/// Of the entry `name` of `folder` itself, also where it is a link.
OrErrno<struct statx> StatEntry(int folder, const char* name);

}  // namespace hangar
