#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <arrow/status.h>

#include "base/mutex.h"

namespace hangar {

struct Identity;

/// What a call came to so far: the service notes it, the door logs and measures it when the call
/// has ended. Thread-safe.
class CallActivity {
 public:
  std::atomic<int64_t> rows_in = 0;
  std::atomic<int64_t> bytes_in = 0;  ///< Of Arrow data, or of a file.
  std::atomic<int64_t> rows_out = 0;
  std::atomic<int64_t> bytes_out = 0;

  /// The dataset that it is about; the last one said counts.
  void SetDataset(std::string name) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    dataset_ = std::move(name);
  }
  std::string dataset() const HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return dataset_;
  }

 private:
  mutable Mutex mutex_;
  std::string dataset_ HANGAR_GUARDED_BY(mutex_);
};

/// Who asks for a use case, and whether they still wait for it.
struct Caller {
  std::string peer;                                    ///< The network address, for the log.
  std::function<bool()> is_cancelled = {};             ///< Empty: never.
  std::shared_ptr<const Identity> identity = nullptr;  ///< nullptr: nobody showed who they are.
  std::string trace_id = {};                           ///< Of the call, for logs; may be empty.
  std::shared_ptr<CallActivity> activity = nullptr;    ///< nullptr: nobody wants to know.

  bool IsGone() const { return is_cancelled && is_cancelled(); }
};

/// CANCELLED: what a use case ends with whose caller is gone.
arrow::Status CallerIsGone();

}  // namespace hangar
