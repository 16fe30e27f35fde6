#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/mutex.h"

namespace arrow::flight {
class ServerMiddlewareFactory;
}

namespace hangar {

/// Counts the calls under way and turns new ones away once the server stops. Thread-safe.
class ActiveCalls {
 public:
  /// False when the gate is closed: the call may not begin. Each true is followed by one End.
  bool TryBegin() HANGAR_EXCLUDES(mutex_);
  void End() HANGAR_EXCLUDES(mutex_);

  /// From now on no call begins.
  void CloseGate() HANGAR_EXCLUDES(mutex_);

  /// Waits until no call is under way, or until the time has come; false in that case.
  bool WaitUntilNone(std::chrono::steady_clock::time_point time) HANGAR_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  CondVar none_;
  int64_t count_ HANGAR_GUARDED_BY(mutex_) = 0;
  bool closed_ HANGAR_GUARDED_BY(mutex_) = false;
};

/// Passes every Flight call through `calls`; one that may not begin ends with UNAVAILABLE.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeCallGate(
    std::shared_ptr<ActiveCalls> calls);

}  // namespace hangar
