#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/crypto.h"
#include "access/identity.h"
#include "access/user_file.h"
#include "base/clock.h"

namespace hangar {

/// What each session's token begins with; not a prefix of other tokens.
inline constexpr std::string_view kSessionPrefix = "hangar-session_";

/// The short-lived tokens that a login with a password gives. Thread-safe.
///
/// A token is the time of its end, the user's name and a MAC of 256 bits over both and the user's
/// password hash, with a key that this object makes and nobody else learns. Nothing is kept, so
/// logins without number take no memory, and none has to be thrown out to let another in. The hash
/// is the one that the file of users has at the moment of use: once a user is removed, or has
/// another password (or the same one again), the tokens are void, and groups are those that the
/// file says now. The price: all tokens end with the process, and clients log in again, which they
/// have to be able to do anyway when one expires; a single token cannot be withdrawn.
class SessionTokens {
 public:
  explicit SessionTokens(std::chrono::seconds lifetime) : lifetime_(lifetime) {}

  std::chrono::seconds lifetime() const { return lifetime_; }

  /// A token for the user. `name` and `user` are one of the users there are.
  std::string Issue(const std::string& name, const UserRecord& user, Timestamp now) const;

  /// The user that the token was issued to. UNAUTHENTICATED when it was not issued here, has
  /// expired, or is of nobody of `users` as they are now.
  arrow::Result<std::shared_ptr<const Identity>> Check(std::string_view token, const Users& users,
                                                       Timestamp now) const;

 private:
  const std::chrono::seconds lifetime_;
  const MacKey key_;
};

}  // namespace hangar
