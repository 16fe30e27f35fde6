#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>

#include "base/unique_descriptor.h"
#include "metrics/metrics.h"

namespace hangar {

/// A value, or the errno of the system call that failed.
template <typename T>
using OrErrno = std::expected<T, int>;

// System calls with their short counts and interruptions dealt with. Functions that return an int
// return 0 or an errno. All descriptors are opened close-on-exec.

/// Opens `path` below `folder`, following links as long as they stay below it: EXDEV when the path
/// leads out, ELOOP when links go round in circles (openat2(2), RESOLVE_BENEATH).
OrErrno<UniqueDescriptor> OpenBeneath(int folder, const std::string& path, int flags,
                                      mode_t mode = 0);

/// Opens the entry `name` of `folder`; a link in its place is ELOOP.
OrErrno<UniqueDescriptor> OpenEntry(int folder, const std::string& name, int flags,
                                    mode_t mode = 0);

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
