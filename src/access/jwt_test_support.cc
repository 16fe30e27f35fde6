#include "access/jwt_test_support.h"

#include <cstdint>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "access/crypto.h"

namespace hangar {
namespace {

using nlohmann::json;

const char* CurveOf(std::string_view algorithm) {
  if (algorithm == "ES256") return "P-256";
  return algorithm == "ES384" ? "P-384" : "P-521";
}

int NumberBytes(std::string_view algorithm) {
  if (algorithm == "ES256") return 32;
  return algorithm == "ES384" ? 48 : 66;
}

EVP_PKEY* Generate(const std::string& algorithm, unsigned rsa_bits) {
  if (algorithm.starts_with("ES")) return EVP_EC_gen(CurveOf(algorithm));
  if (algorithm.starts_with("Ed")) return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  return EVP_RSA_gen(rsa_bits);
}

// A number of the key, of `size` bytes or, for 0, of as many as it takes.
std::string NumberOf(const EVP_PKEY* key, const char* name, int size) {
  BIGNUM* number = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
  std::string bytes(static_cast<size_t>(size == 0 ? BN_num_bytes(number) : size), '\0');
  BN_bn2binpad(number, reinterpret_cast<uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(number);
  return EncodeBase64Url(bytes);
}

const EVP_MD* HashOf(std::string_view algorithm) {
  if (algorithm.starts_with("Ed")) return nullptr;
  if (algorithm.ends_with("256")) return EVP_sha256();
  return algorithm.ends_with("384") ? EVP_sha384() : EVP_sha512();
}

}  // namespace

SigningKey::SigningKey(std::string algorithm, std::string id, unsigned rsa_bits)
    : algorithm_(std::move(algorithm)),
      id_(std::move(id)),
      key_(Generate(algorithm_, rsa_bits), EVP_PKEY_free) {
  EXPECT_NE(key_, nullptr);
}

json SigningKey::Jwk() const {
  json jwk = {{"kid", id_}, {"use", "sig"}};
  if (algorithm_.starts_with("ES")) {
    const int size = NumberBytes(algorithm_);
    jwk["kty"] = "EC";
    jwk["crv"] = CurveOf(algorithm_);
    jwk["x"] = NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, size);
    jwk["y"] = NumberOf(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, size);
  } else if (algorithm_.starts_with("Ed")) {
    std::string bytes(32, '\0');
    size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<uint8_t*>(bytes.data()), &size);
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = EncodeBase64Url(bytes);
  } else {
    jwk["kty"] = "RSA";
    jwk["n"] = NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0);
    jwk["e"] = NumberOf(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0);
  }
  return jwk;
}

std::string SigningKey::PublicPem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key_.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string SigningKey::RawSignature(std::string_view text) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* options = nullptr;
  EVP_DigestSignInit(context, &options, HashOf(algorithm_), nullptr, key_.get());
  if (algorithm_.starts_with("PS")) {
    EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
  }
  std::string signature(1024, '\0');
  size_t size = signature.size();
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<uint8_t*>(signature.data()), &size,
                           reinterpret_cast<const uint8_t*>(text.data()), text.size()),
            1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  return signature;
}

std::string SigningKey::Sign(std::string_view text) const {
  const std::string raw = RawSignature(text);
  if (!algorithm_.starts_with("ES")) return raw;
  const auto* der = reinterpret_cast<const uint8_t*>(raw.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(raw.size()));
  const int size = NumberBytes(algorithm_);
  std::string joined(static_cast<size_t>(2 * size), '\0');
  auto* bytes = reinterpret_cast<uint8_t*>(joined.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, size);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + size, size);
  ECDSA_SIG_free(pair);
  return joined;
}

json SigningKey::Header() const { return {{"alg", algorithm_}, {"kid", id_}, {"typ", "JWT"}}; }

std::string SigningKey::Token(const json& header, const json& claims) const {
  const std::string text = SignedText(header, claims);
  return text + "." + EncodeBase64Url(Sign(text));
}

std::string SigningKey::Token(const json& claims) const { return Token(Header(), claims); }

std::string JwksOf(const std::vector<json>& keys) { return json{{"keys", keys}}.dump(); }

std::string SignedText(const json& header, const json& claims) {
  return EncodeBase64Url(header.dump()) + "." + EncodeBase64Url(claims.dump());
}

}  // namespace hangar
