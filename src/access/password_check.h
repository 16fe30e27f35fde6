#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/crypto.h"
#include "access/failure_limiter.h"
#include "access/identity.h"
#include "access/lru_map.h"
#include "access/reloaded_file.h"
#include "access/user_file.h"
#include "base/admission_queue.h"
#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// Whether a name and a password are those of a user. Thread-safe.
///
/// A hash takes 32 MiB and a tenth of a second, so two are made at a time, and 32 callers at most
/// wait for their turn, 5 s at most. Clients that send their password with each request pay once:
/// that it was right is remembered for 5 minutes, by a MAC with a key of this process over the
/// name, the password and the hash it was compared with. So it is forgotten as soon as the user is
/// removed or has another password, and what is remembered is of no use to anybody who reads the
/// memory later.
///
/// A name that is nobody's costs what one that is somebody's does: the password is then compared
/// with the hash of some user, always the same one for that name, and the answer ignored.
class PasswordCheck {
 public:
  /// INVALID_ARGUMENT or FAILED_PRECONDITION when the file of users is wrong or cannot be read.
  static arrow::Result<std::unique_ptr<PasswordCheck>> Make(const std::string& user_file,
                                                            std::shared_ptr<Logger> logger);

  /// The user. Blocks for a hash and the turn to make it. UNAUTHENTICATED for whatever is wrong,
  /// RESOURCE_EXHAUSTED when the source has to wait or there is no memory, UNAVAILABLE when too
  /// many wait.
  arrow::Result<std::shared_ptr<const Identity>> Check(const std::string& source,
                                                       const std::string& name,
                                                       std::string_view password,
                                                       FailureLimiter& limiter)
      HANGAR_EXCLUDES(mutex_);

  /// The users there are now.
  std::shared_ptr<const Users> users() { return users_->Current(); }

  /// How many hashes were made so far.
  int64_t hashes() const { return hashes_.load(std::memory_order_relaxed); }

 private:
  using Clock = std::chrono::steady_clock;

  struct DigestHash {
    size_t operator()(const Digest& digest) const;
  };

  explicit PasswordCheck(std::unique_ptr<ReloadedFile<Users>> users);

  bool IsRemembered(const Digest& tag) HANGAR_EXCLUDES(mutex_);
  void Remember(const Digest& tag) HANGAR_EXCLUDES(mutex_);
  const UserRecord& StandInFor(const std::string& name, const Users& users) const;
  arrow::Result<bool> CompareInTurn(std::string_view password, const UserRecord& user,
                                    const Digest& tag);

  const std::unique_ptr<ReloadedFile<Users>> users_;
  const MacKey key_;

  AdmissionQueue turns_;
  std::atomic<int64_t> hashes_{0};

  Mutex mutex_;
  LruMap<Digest, Clock::time_point, DigestHash> remembered_ HANGAR_GUARDED_BY(mutex_);  // Until.
};

/// What is seen of a user from outside.
std::shared_ptr<const Identity> IdentityOfUser(const std::string& name, const UserRecord& user);

}  // namespace hangar
