#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>

#include <arrow/status.h>

#include "base/mutex.h"
#include "service/caller.h"

namespace hangar {

/// Holds each caller to a number of bytes a second, of all their calls together, with a second's
/// worth ahead. Callers are told apart as CallerKey does. Thread-safe.
class CallerRates {
 public:
  enum class Direction { kIn, kOut };

  /// 0: no limit.
  explicit CallerRates(int64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

  bool is_limited() const { return bytes_per_second_ > 0; }

  /// Counts what a call has sent or is about to get, and waits until it is its turn. CANCELLED when
  /// the caller is gone meanwhile.
  arrow::Status Pace(const Caller& caller, Direction direction, int64_t bytes)
      HANGAR_EXCLUDES(mutex_);

 private:
  using Time = std::chrono::steady_clock::time_point;

  // When what was counted so far is paid for; takes the bytes into it.
  Time Count(const std::string& key, int64_t bytes) HANGAR_EXCLUDES(mutex_);
  void ForgetThePaid(Time now) HANGAR_REQUIRES(mutex_);

  const int64_t bytes_per_second_;
  Mutex mutex_;
  std::unordered_map<std::string, Time> paid_at_ HANGAR_GUARDED_BY(mutex_);
  size_t forget_at_ HANGAR_GUARDED_BY(mutex_) = 1024;
};

}  // namespace hangar
