#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <string_view>

#include <arrow/result.h>

#include "base/mutex.h"
#include "store/file_descriptor.h"

namespace hangar {

/// Keeps changes of one key apart, between the threads of this process and between processes.
///
/// A key belongs to one of `kStripes` stripes by its hash. Between threads a stripe is a mutex;
/// between processes it is a lock on one byte of a shared file (fcntl(2), F_OFD_SETLKW), which the
/// kernel gives up when a process dies. Thread-safe.
class KeyLocks {
 public:
  static constexpr size_t kStripes = 64;

  /// The stripes of one or two keys, until it is destroyed.
  class Held {
   public:
    Held(Held&&) noexcept = default;
    Held& operator=(Held&&) = delete;
    ~Held();

   private:
    friend class KeyLocks;
    explicit Held(KeyLocks* locks) : locks_(locks) {}
    arrow::Status Add(size_t stripe);

    KeyLocks* const locks_;
    std::array<std::unique_lock<Mutex>, 2> stripes_;
    std::array<size_t, 2> bytes_{};
  };

  /// `file` is open for reading and writing.
  explicit KeyLocks(UniqueDescriptor file) : file_(std::move(file)) {}

  /// Waits until no one else holds the key.
  arrow::Result<Held> Lock(std::string_view key);
  /// Both at once; always taken in the same order, so that two of these cannot wait for each other.
  arrow::Result<Held> Lock(std::string_view key, std::string_view other_key);

 private:
  const UniqueDescriptor file_;
  std::array<Mutex, kStripes> mutexes_;
};

}  // namespace hangar
