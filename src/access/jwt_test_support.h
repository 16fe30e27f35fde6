#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

struct evp_pkey_st;

namespace hangar {

/// A pair of keys as an identity provider has one, made anew.
class SigningKey {
 public:
  /// Of one of the algorithms RS256 to PS512, ES256 to ES512, EdDSA. `rsa_bits` for the first ones.
  explicit SigningKey(std::string algorithm, std::string id = "k1", unsigned rsa_bits = 2048);

  /// The public half as a JSON web key, without "alg".
  nlohmann::json Jwk() const;
  /// The public half in PEM, as an attacker has it for HS256.
  std::string PublicPem() const;
  /// Signed with the key's own algorithm, whatever is said elsewhere.
  std::string Sign(std::string_view text) const;
  /// A token of these two objects, with a right signature.
  std::string Token(const nlohmann::json& header, const nlohmann::json& claims) const;
  /// The same with the header that belongs to the key.
  std::string Token(const nlohmann::json& claims) const;
  nlohmann::json Header() const;

 private:
  std::string RawSignature(std::string_view text) const;

  const std::string algorithm_;
  const std::string id_;
  std::shared_ptr<evp_pkey_st> key_;
};

/// {"keys": [...]} of the public halves.
std::string JwksOf(const std::vector<nlohmann::json>& keys);

/// Header and payload as the signature covers them.
std::string SignedText(const nlohmann::json& header, const nlohmann::json& claims);

}  // namespace hangar
