#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hangar {

/// Owns an open file descriptor, or none, and closes it. One thread at a time.
class UniqueDescriptor {
 public:
  UniqueDescriptor() = default;

  /// Takes what open(2) and its like return: a negative number is none.
  explicit UniqueDescriptor(int descriptor) : descriptor_(descriptor) {}

  UniqueDescriptor(UniqueDescriptor&& other) noexcept : descriptor_(other.release()) {}
  UniqueDescriptor& operator=(UniqueDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  UniqueDescriptor(const UniqueDescriptor&) = delete;
  UniqueDescriptor& operator=(const UniqueDescriptor&) = delete;

  /// Leaves errno as it was, so that a caller may still read why something else failed.
  ~UniqueDescriptor() {
    if (!is_open()) return;
    const int error = errno;
    // On Linux the descriptor is gone even when close reports EINTR or an error.
    ::close(descriptor_);
    errno = error;
  }

  bool is_open() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }  ///< Negative when there is none.

  /// Gives the descriptor up without closing it.
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

}  // namespace hangar
