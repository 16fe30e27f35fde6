#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/policy.h"
#include "access/watched_file.h"
#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// The policy that is in force. A file is read again when it changes; one that is wrong is refused
/// as a whole, said in the log, and the policy before it stays. Thread-safe.
class PolicyKeeper {
 public:
  /// Of a file; INVALID_ARGUMENT or FAILED_PRECONDITION when it is wrong or cannot be read.
  static arrow::Result<std::shared_ptr<PolicyKeeper>> OfFile(const std::string& path,
                                                             std::shared_ptr<Logger> logger);
  /// Of one that does not change.
  explicit PolicyKeeper(std::shared_ptr<const AccessPolicy> policy) : policy_(std::move(policy)) {}

  /// What a use case asks once and then keeps to.
  std::shared_ptr<const AccessPolicy> Current() HANGAR_EXCLUDES(mutex_);

  /// Reads the file again now, whether it seems changed or not.
  arrow::Status Reload() HANGAR_EXCLUDES(mutex_);

 private:
  PolicyKeeper(std::unique_ptr<WatchedFile> file, std::shared_ptr<Logger> logger)
      : file_(std::move(file)), logger_(std::move(logger)) {}
  arrow::Status Take(const std::string& toml) HANGAR_EXCLUDES(mutex_);

  const std::unique_ptr<WatchedFile> file_;  // nullptr: there is none.
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  std::shared_ptr<const AccessPolicy> policy_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar
