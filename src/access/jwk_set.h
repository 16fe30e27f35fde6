#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

struct evp_pkey_st;

namespace hangar {

/// A public key that signatures of JSON web tokens are checked with. Immutable and thread-safe.
///
/// What it may verify follows from what it is, never from what a token says (RFC 8725, 3.1): RSA of
/// 2,048 to 8,192 bits RS256, RS384, RS512, PS256, PS384 and PS512; the curves P-256, P-384 and
/// P-521 ES256, ES384 and ES512; Ed25519 EdDSA. A key that names its algorithm verifies that one
/// alone.
class VerificationKey {
 public:
  /// The key of one JSON object of RFC 7517 and 8037. INVALID_ARGUMENT when it is not for
  /// signatures, of another kind, malformed, too weak, or has a private part, which whoever
  /// published it gave away.
  static arrow::Result<VerificationKey> Parse(std::string_view json);

  /// "kid"; empty where it has none.
  const std::string& id() const { return id_; }
  bool Takes(std::string_view algorithm) const;
  /// Whether the key's owner signed the text. `Takes(algorithm)`; the signature is as RFC 7518 has
  /// it, 64 to 132 bytes of two numbers for ES*.
  bool Verifies(std::string_view algorithm, std::string_view text,
                std::string_view signature) const;

 private:
  VerificationKey(std::string id, std::vector<std::string_view> algorithms,
                  std::shared_ptr<evp_pkey_st> key);

  std::string id_;
  std::vector<std::string_view> algorithms_;
  std::shared_ptr<evp_pkey_st> key_;
};

/// The keys of an identity provider.
struct JwkSet {
  std::vector<VerificationKey> keys;
};

/// The keys of a JSON text as RFC 7517, 5 has it. Keys that VerificationKey::Parse refuses are left
/// out, as there may be some for other purposes. INVALID_ARGUMENT, beginning with `source`, when it
/// is no such text, has more than 64 keys, or none is left.
arrow::Result<JwkSet> ParseJwkSet(const std::string& json, const std::string& source);

}  // namespace hangar
