#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <arrow/status.h>

#include "base/mutex.h"

namespace hangar {

struct Identity;

/// How limits tell callers apart: by who they are where they showed it, else by where they call
/// from. `address` is without a port, see AddressText; `identity` may be nullptr.
std::string CallerKey(const Identity* identity, std::string_view address);

/// Bounds the calls that hold a stream open, each of which takes a thread and memory: reads,
/// listings and uploads, of all doors together. Calls that only ask or act are short and are never
/// refused here, so that a server that is full can still be looked at. Thread-safe.
class CallLimits {
 public:
  struct Options {
    int64_t streams = 1024;            ///< Of all callers.
    int64_t streams_per_caller = 256;  ///< Of one identity, or of one address without one.
    int64_t uploads = 64;              ///< Of all callers; each is a stream, too.
    int64_t uploads_per_caller = 64;
  };

  explicit CallLimits(const Options& options) : options_(options) {}

  /// RESOURCE_EXHAUSTED, saying which limit is reached and how it is set. Each OK is followed by
  /// one End with the same arguments. `caller` is what CallerKey gives.
  arrow::Status Begin(const std::string& caller, bool is_upload) HANGAR_EXCLUDES(mutex_);
  void End(const std::string& caller, bool is_upload) HANGAR_EXCLUDES(mutex_);

  /// How many calls may be under way at most.
  int64_t streams_max() const { return options_.streams; }

 private:
  struct Share {
    int64_t streams = 0;
    int64_t uploads = 0;
  };

  /// What Begin answers, before anything is counted.
  arrow::Status CheckRoom(const Share& of_caller, bool is_upload) const HANGAR_REQUIRES(mutex_);

  const Options options_;
  Mutex mutex_;
  Share all_ HANGAR_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Share> by_caller_ HANGAR_GUARDED_BY(mutex_);  // None is empty.
};

}  // namespace hangar
