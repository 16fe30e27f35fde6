#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// What requests are signed with. Never to be logged, apart from the access key's id.
struct S3Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;         ///< Empty: none.
  std::optional<Timestamp> expires;  ///< nullopt: they do not.
};

/// Where credentials come from.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  /// New ones. Blocks; called by one thread at a time.
  virtual arrow::Result<S3Credentials> Fetch() = 0;

  /// For people: "the profile 'x' of the shared files".
  virtual std::string Name() const = 0;
};

/// Holds credentials, and fetches others before they expire. Thread-safe.
class CredentialKeeper {
 public:
  CredentialKeeper(std::unique_ptr<CredentialSource> source, std::shared_ptr<Logger> logger,
                   std::function<Timestamp()> now = &Now);

  /// Credentials that are good for some time yet. Blocks while there are none to give; those that
  /// are about to expire are given out while one thread fetches others.
  arrow::Result<S3Credentials> Get() HANGAR_EXCLUDES(mutex_);

  /// The store said that these are not or no longer good. True when others may be had: the next Get
  /// fetches or has them.
  bool Reject(const S3Credentials& credentials) HANGAR_EXCLUDES(mutex_);

 private:
  bool AreGoodFor(std::chrono::nanoseconds time) const HANGAR_REQUIRES(mutex_);
  void Fetch() HANGAR_REQUIRES(mutex_);

  const std::unique_ptr<CredentialSource> source_;
  const std::shared_ptr<Logger> logger_;
  const std::function<Timestamp()> now_;

  Mutex mutex_;
  CondVar fetched_;
  bool is_fetching_ HANGAR_GUARDED_BY(mutex_) = false;
  std::optional<S3Credentials> current_ HANGAR_GUARDED_BY(mutex_);
  bool is_rejected_ HANGAR_GUARDED_BY(mutex_) = false;
  std::optional<Timestamp> fetched_at_ HANGAR_GUARDED_BY(mutex_);
  arrow::Status failure_ HANGAR_GUARDED_BY(mutex_);
  std::optional<Timestamp> failed_at_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar
