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
/// password hash. Nothing is kept, so logins without number take no memory, and none has to be
/// thrown out to let another in. The hash is the one that the file of users has at the moment of
/// use: once a user is removed, or has another password (or the same one again), the tokens are
/// void, and groups are those that the file says now. The price: a single token cannot be
/// withdrawn.
///
/// The key of the MAC is one that this object makes and nobody else learns, and all tokens end with
/// the process; clients then log in again, which they have to be able to do anyway when one
/// expires. Or it is made of a secret: what one server issued is then good at every other that has
/// the same secret and the same file of users, also after a restart.
class SessionTokens {
 public:
  explicit SessionTokens(std::chrono::seconds lifetime) : lifetime_(lifetime) {}
  /// With a secret, of which ReadSessionSecret makes sure that it is one.
  SessionTokens(std::chrono::seconds lifetime, std::string_view secret);

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

/// The secret that a file holds: its bytes, all of them. FAILED_PRECONDITION when it cannot be
/// read, INVALID_ARGUMENT for fewer than 32 bytes.
arrow::Result<std::string> ReadSessionSecret(const std::string& path);

}  // namespace hangar
