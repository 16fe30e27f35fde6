#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hangar {

/// How somebody showed who they are.
enum class IdentityKind {
  kAnonymous,    ///< Not at all.
  kUser,         ///< By a password, or by what a login with one gave.
  kToken,        ///< By a token that the server's operator made.
  kFederated,    ///< By a JSON web token of an identity provider.
  kCertificate,  ///< By a client certificate.
};

/// What a token allows by itself, beside what the policy says: an action on names that match.
struct TokenGrant {
  std::string action;  ///< "read", "write", "drop" or "admin".
  std::string glob;    ///< Of dataset names, see `GlobMatches`.
};

/// Who asks, as an Authenticator found out. Immutable once shared.
struct Identity {
  IdentityKind kind = IdentityKind::kAnonymous;
  std::string name;                 ///< A user's, token's or subject's; empty for nobody.
  std::vector<std::string> groups;  ///< That an identity provider or the file of users names.
  std::vector<TokenGrant> grants;   ///< Of a token.

  /// As logs, limits and the policy spell it: "user:alice", "token:nightly", "jwt:4711",
  /// "cert:loader.example.org" or "anonymous".
  std::string ToString() const;
};

/// The identity of somebody who showed nothing.
std::shared_ptr<const Identity> AnonymousIdentity();

}  // namespace hangar
