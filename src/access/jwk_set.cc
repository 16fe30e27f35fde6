#include "access/jwk_set.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <format>
#include <optional>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "access/crypto.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using nlohmann::json;

constexpr size_t kKeysMax = 64;
constexpr int kRsaBitsMin = 2048;  // NIST SP 800-131A.
constexpr int kRsaBitsMax = 8192;  // More makes each check slow.

template <typename T, void (*Free)(T*)>
struct Freeing {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using Owned = std::unique_ptr<T, Freeing<T, Free>>;

using Number = Owned<BIGNUM, BN_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using Parameters = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParameterBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using EcdsaSignature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

struct Curve {
  std::string_view name;  // In JSON.
  const char* group;      // To OpenSSL.
  size_t number_bytes;
  std::string_view algorithm;
};

constexpr std::array kCurves = {
    Curve{.name = "P-256", .group = "P-256", .number_bytes = 32, .algorithm = "ES256"},
    Curve{.name = "P-384", .group = "P-384", .number_bytes = 48, .algorithm = "ES384"},
    Curve{.name = "P-521", .group = "P-521", .number_bytes = 66, .algorithm = "ES512"},
};

arrow::Status WrongKey(std::string_view what) {
  ERR_clear_error();
  return Error(ErrorKind::kInvalidArgument, "a key {}", what);
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string TextAt(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

arrow::Result<std::string> BytesAt(const json& object, const char* key) {
  auto bytes = DecodeBase64Url(TextAt(object, key));
  if (bytes && !bytes->empty()) return *std::move(bytes);
  return WrongKey(std::format("has no base64url at '{}'", key));
}

arrow::Result<std::shared_ptr<EVP_PKEY>> MakeKey(const char* kind, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return WrongKey("is malformed");
  }
  std::shared_ptr<EVP_PKEY> key(made, EVP_PKEY_free);
  const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  // Above all that a point is on its curve.
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return WrongKey("is not sound");
  return key;
}

arrow::Result<std::shared_ptr<EVP_PKEY>> MakeRsaKey(const json& object) {
  ARROW_ASSIGN_OR_RAISE(const std::string modulus, BytesAt(object, "n"));
  ARROW_ASSIGN_OR_RAISE(const std::string exponent, BytesAt(object, "e"));
  if (modulus.size() > kRsaBitsMax / 8 || exponent.size() > 8) return WrongKey("is too long");
  const Number n(BN_bin2bn(Bytes(modulus), static_cast<int>(modulus.size()), nullptr));
  const Number e(BN_bin2bn(Bytes(exponent), static_cast<int>(exponent.size()), nullptr));
  if (!n || BN_num_bits(n.get()) < kRsaBitsMin) return WrongKey("of RSA has under 2048 bits");
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return WrongKey("is malformed");
  }
  return MakeKey("RSA", builder.get());
}

arrow::Result<std::shared_ptr<EVP_PKEY>> MakeEcKey(const json& object, const Curve& curve) {
  ARROW_ASSIGN_OR_RAISE(const std::string x, BytesAt(object, "x"));
  ARROW_ASSIGN_OR_RAISE(const std::string y, BytesAt(object, "y"));
  if (x.size() != curve.number_bytes || y.size() != curve.number_bytes) {
    return WrongKey("has coordinates of a wrong length");
  }
  const std::string point = "\x04" + x + y;  // SEC 1, 2.3.3: uncompressed.
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return WrongKey("is malformed");
  }
  return MakeKey("EC", builder.get());
}

arrow::Result<std::shared_ptr<EVP_PKEY>> MakeEd25519Key(const json& object) {
  ARROW_ASSIGN_OR_RAISE(const std::string x, BytesAt(object, "x"));
  std::shared_ptr<EVP_PKEY> key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, Bytes(x), x.size()),
      EVP_PKEY_free);
  if (!key) return WrongKey("is malformed");
  return key;
}

struct KindOfKey {
  std::vector<std::string_view> algorithms;
  std::shared_ptr<EVP_PKEY> key;
};

arrow::Result<KindOfKey> MakeByKind(const json& object) {
  KindOfKey made;
  const std::string kind = TextAt(object, "kty");
  const std::string curve_name = TextAt(object, "crv");
  const auto* const curve = std::ranges::find(kCurves, curve_name, &Curve::name);
  if (kind == "RSA") {
    made.algorithms = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"};
    ARROW_ASSIGN_OR_RAISE(made.key, MakeRsaKey(object));
  } else if (kind == "EC" && curve != kCurves.end()) {
    made.algorithms = {curve->algorithm};
    ARROW_ASSIGN_OR_RAISE(made.key, MakeEcKey(object, *curve));
  } else if (kind == "OKP" && curve_name == "Ed25519") {
    made.algorithms = {"EdDSA", "Ed25519"};  // The second is RFC 9864's name of the same.
    ARROW_ASSIGN_OR_RAISE(made.key, MakeEd25519Key(object));
  } else {
    return WrongKey("is of a kind that is not supported");
  }
  return made;
}

bool IsForSignatures(const json& object) {
  if (const auto use = object.find("use"); use != object.end() && *use != "sig") return false;
  const auto operations = object.find("key_ops");
  if (operations == object.end()) return true;
  return operations->is_array() && std::ranges::find(*operations, "verify") != operations->end();
}

const EVP_MD* HashOf(std::string_view algorithm) {
  if (algorithm.ends_with("256")) return EVP_sha256();
  if (algorithm.ends_with("384")) return EVP_sha384();
  return EVP_sha512();
}

// As OpenSSL has it. Two numbers of exactly the curve's length: what is longer or shorter would be
// another text for the same signature.
std::optional<std::string> EcdsaInDer(std::string_view algorithm, std::string_view signature) {
  const auto* const curve = std::ranges::find(kCurves, algorithm, &Curve::algorithm);
  if (curve == kCurves.end() || signature.size() != 2 * curve->number_bytes) return std::nullopt;
  const int size = static_cast<int>(curve->number_bytes);
  Number r(BN_bin2bn(Bytes(signature), size, nullptr));
  Number s(BN_bin2bn(Bytes(signature) + size, size, nullptr));
  const EcdsaSignature pair(ECDSA_SIG_new());
  if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  std::ignore = r.release();  // They are the pair's now.
  std::ignore = s.release();
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(pair.get(), &der);
  if (der_size <= 0) return std::nullopt;
  std::string text(reinterpret_cast<const char*>(der), static_cast<size_t>(der_size));
  OPENSSL_free(der);
  return text;
}

bool IsVerified(EVP_PKEY* key, std::string_view algorithm, std::string_view text,
                std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* options = nullptr;
  const EVP_MD* hash = algorithm.starts_with("Ed") ? nullptr : HashOf(algorithm);
  if (!context || EVP_DigestVerifyInit(context.get(), &options, hash, nullptr, key) != 1) {
    return false;
  }
  if (algorithm.starts_with("PS") &&
      (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(), Bytes(text),
                          text.size()) == 1;
}

}  // namespace

VerificationKey::VerificationKey(std::string id, std::vector<std::string_view> algorithms,
                                 std::shared_ptr<evp_pkey_st> key)
    : id_(std::move(id)), algorithms_(std::move(algorithms)), key_(std::move(key)) {}

arrow::Result<VerificationKey> VerificationKey::Parse(std::string_view text) {
  const json object = json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return WrongKey("is no JSON object");
  if (object.contains("d") || object.contains("k")) return WrongKey("has a secret part");
  if (!IsForSignatures(object)) return WrongKey("is not for signatures");
  ARROW_ASSIGN_OR_RAISE(KindOfKey made, MakeByKind(object));
  if (const auto algorithm = object.find("alg"); algorithm != object.end()) {
    std::erase_if(made.algorithms, [&](std::string_view name) { return *algorithm != name; });
    if (made.algorithms.empty()) return WrongKey("names an algorithm that is not one of its kind");
  }
  return VerificationKey(TextAt(object, "kid"), std::move(made.algorithms), std::move(made.key));
}

bool VerificationKey::Takes(std::string_view algorithm) const {
  return std::ranges::find(algorithms_, algorithm) != algorithms_.end();
}

bool VerificationKey::Verifies(std::string_view algorithm, std::string_view text,
                               std::string_view signature) const {
  bool verified = false;
  if (!Takes(algorithm)) return false;
  if (algorithm.starts_with("ES")) {
    const auto der = EcdsaInDer(algorithm, signature);
    verified = der && IsVerified(key_.get(), algorithm, text, *der);
  } else {
    verified = IsVerified(key_.get(), algorithm, text, signature);
  }
  ERR_clear_error();  // What a wrong signature leaves in this thread's queue.
  return verified;
}

arrow::Result<JwkSet> ParseJwkSet(const std::string& text, const std::string& source) {
  const json set = json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
    return Error(ErrorKind::kInvalidArgument, "{}: it is no JSON object with an array 'keys'",
                 source);
  }
  const json& objects = set["keys"];
  if (objects.size() > kKeysMax) {
    return Error(ErrorKind::kInvalidArgument, "{}: it has more than {} keys", source, kKeysMax);
  }
  JwkSet keys;
  std::string refused;
  for (const json& object : objects) {
    auto key = VerificationKey::Parse(object.dump(-1, ' ', false, json::error_handler_t::replace));
    if (key.ok()) {
      keys.keys.push_back(*std::move(key));
    } else {
      refused = ": " + key.status().message();
    }
  }
  if (keys.keys.empty()) {
    return Error(ErrorKind::kInvalidArgument, "{}: it has no key that can be used{}", source,
                 refused);
  }
  return keys;
}

}  // namespace hangar
