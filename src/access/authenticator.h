#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/identity.h"
#include "base/log.h"

namespace hangar {

/// What a call brings to show who makes it. The door checked nothing of it, save that TLS verified
/// the certificate's chain.
struct Credentials {
  std::string peer;  ///< The network address without its port: failures are slowed per source.
  std::optional<std::string> authorization;  ///< The value of the header "authorization".
  std::optional<std::string> certificate;    ///< The verified client certificate, PEM.
};

/// What a login with a password gives.
struct Login {
  std::shared_ptr<const Identity> identity;
  std::string token;  ///< To be sent as "authorization: Bearer TOKEN" with what follows.
  std::chrono::seconds lifetime{};
};

/// What shows who somebody is. Each is optional; with none of them everybody is anonymous and
/// `is_required` is false.
struct AuthenticatorOptions {
  std::string token_file;                       ///< Of tokens' hashes, see token_file.h.
  std::string user_file;                        ///< Of users and password hashes, see user_file.h.
  std::chrono::seconds session_lifetime{3600};  ///< Of what a login gives.
  /// Of the secret that what a login gives is signed with; empty: a key of this process alone.
  std::string session_key;
  std::string jwks;          ///< A file's path or an https address.
  std::string jwt_issuer;    ///< Has to be given with `jwks`, as
  std::string jwt_audience;  ///< this has.
  std::string jwt_name_claim = "sub";
  std::string jwt_groups_claim = "groups";
  bool certificates = false;  ///< A verified client certificate is an identity.
};

/// Finds out who is asking. Files are looked at again when they change, keys are fetched again when
/// they rotate. Thread-safe; Authenticate may take the time of a password hash.
class Authenticator {
 public:
  /// INVALID_ARGUMENT naming the file and line of what is wrong with it, FAILED_PRECONDITION when a
  /// file cannot be read.
  static arrow::Result<std::shared_ptr<Authenticator>> Make(const AuthenticatorOptions& options,
                                                            std::shared_ptr<Logger> logger);
  virtual ~Authenticator() = default;

  /// The identity that the credentials show: of the header where there is one, else of the
  /// certificate, else anonymous. UNAUTHENTICATED, always in the same words, for a header that
  /// shows nobody; RESOURCE_EXHAUSTED when the source failed too often and has to wait, or there is
  /// no memory for a password's hash; UNAVAILABLE when too many passwords are checked at once, or
  /// an identity provider's keys cannot be had.
  virtual arrow::Result<std::shared_ptr<const Identity>> Authenticate(
      const Credentials& credentials) = 0;

  /// As Authenticate, for "Basic" only, and gives a bearer token for what follows. UNIMPLEMENTED
  /// where there is no file of users.
  virtual arrow::Result<Login> LogIn(const Credentials& credentials) = 0;

  /// True when anything is configured that shows who somebody is: anonymous callers may then do
  /// only what the policy gives everyone.
  virtual bool is_required() const = 0;

  /// The value for a response's "www-authenticate" header, naming the schemes that are offered.
  virtual std::string Challenge() const = 0;
};

}  // namespace hangar
