#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/identity.h"
#include "access/key_source.h"
#include "base/clock.h"

namespace hangar {

/// What of a JSON web token has to be, and what is taken from it.
struct JwtRules {
  std::string issuer;    ///< "iss", exactly.
  std::string audience;  ///< "aud", or one of it where that is an array.
  std::string name_claim = "sub";
  std::string groups_claim = "groups";
};

/// Finds out whom a JSON web token (RFC 7519, as a signed one of RFC 7515) shows, by the rules of
/// RFC 8725. Thread-safe.
///
/// The header's algorithm has to be one of the key's (see VerificationKey), so "none" and HS* are
/// not taken. "crit" is refused, as no extension is understood; so is a "typ" other than "JWT" and
/// "at+jwt", as tokens for other purposes are not for showing who somebody is. Key addresses in the
/// header ("jku", "x5u", "jwk") are not looked at. A key without "kid", or a token without, is
/// found by trying those that take the algorithm. "exp" is required; it and "nbf" may be wrong by
/// 60 s, for clocks that differ. An object with the same key twice is refused, as two readers could
/// understand it differently.
class JwtVerifier {
 public:
  JwtVerifier(JwtRules rules, std::unique_ptr<KeySource> keys)
      : rules_(std::move(rules)), keys_(std::move(keys)) {}

  /// UNAUTHENTICATED, saying why for the log, or UNAVAILABLE when the keys cannot be had. May wait
  /// for them (see KeySource).
  arrow::Result<std::shared_ptr<const Identity>> Verify(std::string_view token, Timestamp now);

 private:
  const JwtRules rules_;
  const std::unique_ptr<KeySource> keys_;
};

}  // namespace hangar
