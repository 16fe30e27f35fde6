#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include <arrow/status.h>

#include "base/mutex.h"

namespace arrow::flight {
class ServerMiddlewareFactory;
}

namespace hangar {

/// Bounds the calls that hold a stream open, each of which takes a thread and memory: reads,
/// listings and uploads. Calls that only ask or act are short and are never refused here, so that a
/// server that is full can still be looked at. Thread-safe.
class CallLimits {
 public:
  struct Options {
    int64_t streams = 1024;            ///< Of all callers.
    int64_t streams_per_caller = 256;  ///< Of one address, whatever its ports.
    int64_t uploads = 64;              ///< Of all callers; each is a stream, too.
  };

  explicit CallLimits(const Options& options) : options_(options) {}

  /// RESOURCE_EXHAUSTED, saying which limit is reached and how it is set. Each OK is followed by
  /// one End with the same arguments. `caller` is an address without its port.
  arrow::Status Begin(const std::string& caller, bool is_upload) HANGAR_EXCLUDES(mutex_);
  void End(const std::string& caller, bool is_upload) HANGAR_EXCLUDES(mutex_);

 private:
  const Options options_;
  Mutex mutex_;
  int64_t streams_ HANGAR_GUARDED_BY(mutex_) = 0;
  int64_t uploads_ HANGAR_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, int64_t> by_caller_ HANGAR_GUARDED_BY(mutex_);  // None is 0.
};

/// Holds each Flight call to the limits. One that is refused carries `grpc-retry-pushback-ms`,
/// which clients with a retry policy heed.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeCallLimiter(
    const CallLimits::Options& options);

}  // namespace hangar
