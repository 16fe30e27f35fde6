#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "base/mutex.h"

namespace hangar {

/// A small file that an operator may change while the server runs. Thread-safe.
class WatchedFile {
 public:
  /// Files beyond it are refused: whatever is configured is small.
  static constexpr int64_t kBytesMax = 16 << 20;

  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  /// Its contents; FAILED_PRECONDITION saying why it cannot be read.
  arrow::Result<std::string> Read() HANGAR_EXCLUDES(mutex_);

  /// Its contents when it is not what it was when it was read last, else nullopt. Looks once a
  /// second at most, so that it can be asked at every call; one that cannot be read is an error
  /// once and then counts as unchanged until it changes again.
  arrow::Result<std::optional<std::string>> ReadIfChanged() HANGAR_EXCLUDES(mutex_);

  const std::string& path() const { return path_; }

 private:
  // What tells one content from another without reading it; all 0: it is not there.
  struct Fingerprint {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size_bytes = 0;
    int64_t modified_nanoseconds = 0;
    int64_t changed_nanoseconds = 0;

    bool operator==(const Fingerprint&) const = default;
  };

  Fingerprint Look() const;
  arrow::Result<std::string> ReadWhole() const;

  const std::string path_;
  Mutex mutex_;
  Fingerprint last_ HANGAR_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point next_look_ HANGAR_GUARDED_BY(mutex_){};
};

}  // namespace hangar
