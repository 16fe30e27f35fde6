#include "access/jwt_verifier.h"

#include <map>
#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/hmac.h>

#include "access/access_test_support.h"
#include "access/jwt_test_support.h"
#include "base/error.h"

namespace hangar {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'800'000'000;

// Keys that do not change.
class FixedKeys final : public KeySource {
 public:
  explicit FixedKeys(std::shared_ptr<const JwkSet> keys) : keys_(std::move(keys)) {}
  arrow::Result<std::shared_ptr<const JwkSet>> Keys() override { return keys_; }
  arrow::Result<std::shared_ptr<const JwkSet>> NewerKeys(
      const std::shared_ptr<const JwkSet>&) override {
    return keys_;
  }

 private:
  const std::shared_ptr<const JwkSet> keys_;
};

// One key of each algorithm, made once: RSA keys take their time.
const SigningKey& KeyOf(const std::string& algorithm) {
  static std::map<std::string, SigningKey> keys;
  return keys.try_emplace(algorithm, algorithm).first->second;
}

json GoodClaims() {
  return {{"iss", "https://login.example.org"},
          {"aud", "hangar"},
          {"sub", "4711"},
          {"exp", kNow + 300},
          {"groups", json::array({"analysts", "eu"})}};
}

json With(json object, const std::string& key, json value) {
  object[key] = std::move(value);
  return object;
}

json Without(json object, const std::string& key) {
  object.erase(key);
  return object;
}

class JwtVerifierTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(StartCrypto());
    Know({KeyOf("ES256").Jwk()});
  }
  void Know(const std::vector<json>& keys) {
    ASSERT_OK_AND_ASSIGN(JwkSet set, ParseJwkSet(JwksOf(keys), "keys"));
    verifier_ = std::make_unique<JwtVerifier>(
        rules_, std::make_unique<FixedKeys>(std::make_shared<const JwkSet>(std::move(set))));
  }
  arrow::Result<std::shared_ptr<const Identity>> Verify(const std::string& token) {
    return verifier_->Verify(token, Timestamp(std::chrono::seconds(now_)));
  }
  // Why a token with these claims, rightly signed, is refused.
  std::string RefusalOf(const json& claims) { return RefusalOf(KeyOf("ES256").Token(claims)); }
  std::string RefusalOf(const std::string& token) {
    const auto verified = Verify(token);
    EXPECT_EQ(KindOf(verified.status()), ErrorKind::kUnauthenticated) << token;
    return verified.status().message();
  }

  JwtRules rules_{.issuer = "https://login.example.org", .audience = "hangar"};
  int64_t now_ = kNow;
  std::unique_ptr<JwtVerifier> verifier_;
};

class JwtAlgorithms : public JwtVerifierTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(JwtAlgorithms, ATokenSignedByAKnownKeyShowsItsSubject) {
  const SigningKey& key = KeyOf(GetParam());
  Know({key.Jwk()});
  ASSERT_OK_AND_ASSIGN(const auto identity, Verify(key.Token(GoodClaims())));
  EXPECT_EQ(identity->ToString(), "jwt:4711");
  EXPECT_THAT(identity->groups, ElementsAre("analysts", "eu"));
  Know({With(key.Jwk(), "alg", GetParam())});
  EXPECT_OK(Verify(key.Token(GoodClaims())));
}

TEST_P(JwtAlgorithms, AnotherKeysSignatureUnderTheSameIdIsRefused) {
  const SigningKey stranger(GetParam());
  Know({KeyOf(GetParam()).Jwk()});
  EXPECT_THAT(RefusalOf(stranger.Token(GoodClaims())), HasSubstr("signature is wrong"));
}

TEST_P(JwtAlgorithms, AnyChangedByteIsRefused) {
  const SigningKey& key = KeyOf(GetParam());
  Know({key.Jwk()});
  const std::string token = key.Token(GoodClaims());
  for (size_t i = 0; i < token.size(); i += 7) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    RefusalOf(other);
  }
  RefusalOf(token.substr(0, token.size() - 4));
  RefusalOf(token + "AAAA");
  RefusalOf(token.substr(0, token.rfind('.') + 1));
}

TEST_P(JwtAlgorithms, NoOtherAlgorithmIsTakenForTheKey) {
  const SigningKey& key = KeyOf(GetParam());
  // A key that names its algorithm does not take others of its kind either.
  Know({With(key.Jwk(), "alg", GetParam())});
  for (const char* algorithm :
       {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
        "ES256K", "HS256", "HS512", "none", "None", "NONE", "", "rs256", "RS256 "}) {
    if (std::string_view(algorithm) == GetParam()) continue;
    const json header = With(key.Header(), "alg", algorithm);
    EXPECT_THAT(RefusalOf(key.Token(header, GoodClaims())), HasSubstr("takes its 'alg'"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, JwtAlgorithms,
                         ::testing::Values("RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
                                           "ES256", "ES384", "ES512", "EdDSA"));

TEST_F(JwtVerifierTest, NoneIsRefusedWithAndWithoutASignature) {
  for (const char* algorithm : {"none", "None", "nOnE"}) {
    const json header = With(KeyOf("ES256").Header(), "alg", algorithm);
    RefusalOf(SignedText(header, GoodClaims()) + ".");
    RefusalOf(SignedText(Without(header, "kid"), GoodClaims()) + ".");
    RefusalOf(SignedText(header, GoodClaims()) + ".AAAA");
  }
}

TEST_F(JwtVerifierTest, APublicKeyIsNoSecretForHmac) {
  const SigningKey& key = KeyOf("RS256");
  Know({key.Jwk()});
  for (const std::string& secret :
       {key.PublicPem(), key.Jwk().dump(), *DecodeBase64Url(key.Jwk()["n"].get<std::string>())}) {
    const std::string text = SignedText(With(key.Header(), "alg", "HS256"), GoodClaims());
    uint8_t tag[32];
    unsigned size = sizeof(tag);
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const uint8_t*>(text.data()), text.size(), tag, &size);
    const std::string signature(reinterpret_cast<const char*>(tag), size);
    EXPECT_THAT(RefusalOf(text + "." + EncodeBase64Url(signature)), HasSubstr("takes its 'alg'"));
  }
}

TEST_F(JwtVerifierTest, AnEcdsaSignatureHasOneForm) {
  const SigningKey& key = KeyOf("ES256");
  const std::string text = SignedText(key.Header(), GoodClaims());
  const std::string signature = key.Sign(text);
  ASSERT_OK(Verify(text + "." + EncodeBase64Url(signature)));
  const std::string zero(1, '\0');
  const std::string r = signature.substr(0, 32);
  const std::string s = signature.substr(32);
  for (const std::string& other :
       {zero + r + zero + s, zero + signature, signature + zero, r, std::string(64, '\0'),
        std::string(64, '\xff'), s + r, std::string()}) {
    RefusalOf(text + "." + EncodeBase64Url(other));
  }
}

TEST_F(JwtVerifierTest, TheMirroredEcdsaSignatureOfASignedTextSaysNothingNew) {
  // (r, n - s) verifies wherever (r, s) does; JWS knows no low-s rule (RFC 7518, 3.4), so it shows
  // the same identity until the same end, and nothing here takes a signature for a token's name.
  const SigningKey& key = KeyOf("ES256");
  const std::string text = SignedText(key.Header(), GoodClaims());
  const std::string signature = key.Sign(text);
  BIGNUM* order = nullptr;
  BN_hex2bn(&order, "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");
  BIGNUM* s = BN_bin2bn(reinterpret_cast<const uint8_t*>(signature.data()) + 32, 32, nullptr);
  BN_sub(s, order, s);
  std::string mirrored = signature;
  BN_bn2binpad(s, reinterpret_cast<uint8_t*>(mirrored.data()) + 32, 32);
  BN_free(s);
  BN_free(order);
  ASSERT_OK_AND_ASSIGN(const auto identity, Verify(text + "." + EncodeBase64Url(mirrored)));
  EXPECT_EQ(identity->ToString(), "jwt:4711");
}

TEST_F(JwtVerifierTest, IssuerAndAudienceHaveToBeOurs) {
  EXPECT_THAT(RefusalOf(Without(GoodClaims(), "iss")), HasSubstr("another issuer"));
  for (const json& issuer : {json("https://login.example.org/"), json("https://LOGIN.example.org"),
                             json(7), json(nullptr), json::array({"https://login.example.org"})}) {
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "iss", issuer)), HasSubstr("another issuer"));
  }
  EXPECT_THAT(RefusalOf(Without(GoodClaims(), "aud")), HasSubstr("another audience"));
  for (const json& audience : {json("Hangar"), json(""), json(7), json::array(), json::object(),
                               json::array({"other"}), json::array({json::array({"hangar"})})}) {
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "aud", audience)), HasSubstr("another audience"));
  }
  EXPECT_OK(Verify(KeyOf("ES256").Token(With(GoodClaims(), "aud", {"other", "hangar"}))));
}

TEST_F(JwtVerifierTest, ATokenHoldsFromItsBeginningToItsEndAndAMinuteMore) {
  EXPECT_THAT(RefusalOf(Without(GoodClaims(), "exp")), HasSubstr("no 'exp'"));
  EXPECT_OK(Verify(KeyOf("ES256").Token(With(GoodClaims(), "exp", kNow - 59))));
  EXPECT_THAT(RefusalOf(With(GoodClaims(), "exp", kNow - 60)), HasSubstr("expired"));
  EXPECT_THAT(RefusalOf(With(GoodClaims(), "exp", kNow - 60.5)), HasSubstr("expired"));
  EXPECT_OK(Verify(KeyOf("ES256").Token(With(GoodClaims(), "nbf", kNow + 60))));
  EXPECT_THAT(RefusalOf(With(GoodClaims(), "nbf", kNow + 61)), HasSubstr("not valid yet"));
  EXPECT_OK(Verify(KeyOf("ES256").Token(With(GoodClaims(), "exp", 1e300))));
  for (const json& time : {json("1900000000"), json(nullptr), json(true), json::array({kNow})}) {
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "exp", time)), HasSubstr("no number"));
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "nbf", time)), HasSubstr("no number"));
  }
  EXPECT_THAT(RefusalOf(With(GoodClaims(), "exp", -1e300)), HasSubstr("expired"));
}

TEST_F(JwtVerifierTest, TheNameIsThatOfTheClaim) {
  EXPECT_THAT(RefusalOf(Without(GoodClaims(), "sub")), HasSubstr("no name"));
  for (const json& name : {json(""), json("a\nb"), json(std::string("a\0b", 3)), json(4711),
                           json(std::string(256, 'a'))}) {
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "sub", name)), HasSubstr("name"));
  }
  rules_.name_claim = "email";
  Know({KeyOf("ES256").Jwk()});
  ASSERT_OK_AND_ASSIGN(
      const auto identity,
      Verify(KeyOf("ES256").Token(With(GoodClaims(), "email", "alice@example.org"))));
  EXPECT_EQ(identity->ToString(), "jwt:alice@example.org");
}

TEST_F(JwtVerifierTest, GroupsAreAnArrayOrWordsOfAText) {
  const auto groups_of = [&](const json& groups) {
    auto verified = Verify(KeyOf("ES256").Token(With(GoodClaims(), "groups", groups)));
    EXPECT_OK(verified);
    return verified.ok() ? (*verified)->groups : std::vector<std::string>{"?"};
  };
  EXPECT_THAT(groups_of("one two"), ElementsAre("one", "two"));
  EXPECT_THAT(groups_of("  one  "), ElementsAre("one"));
  EXPECT_THAT(groups_of(""), ElementsAre());
  EXPECT_THAT(groups_of(nullptr), ElementsAre());
  EXPECT_THAT(groups_of(json::array({"two words"})), ElementsAre("two words"));
  ASSERT_OK_AND_ASSIGN(const auto none,
                       Verify(KeyOf("ES256").Token(Without(GoodClaims(), "groups"))));
  EXPECT_TRUE(none->groups.empty());
  for (const json& groups : {json(7), json::object(), json::array({7}), json::array({""}),
                             json::array({"a\nb"}), json(std::vector<std::string>(1001, "g"))}) {
    EXPECT_THAT(RefusalOf(With(GoodClaims(), "groups", groups)), HasSubstr("group"));
  }
}

TEST_F(JwtVerifierTest, HeadersThatAskForMoreAreRefused) {
  const SigningKey& key = KeyOf("ES256");
  const auto refusal = [&](const json& header) {
    return RefusalOf(key.Token(header, GoodClaims()));
  };
  EXPECT_THAT(refusal(With(key.Header(), "crit", json::array({"exp"}))), HasSubstr("critical"));
  EXPECT_THAT(refusal(With(key.Header(), "crit", json::array())), HasSubstr("critical"));
  EXPECT_THAT(refusal(With(key.Header(), "typ", "logout+jwt")), HasSubstr("another type"));
  EXPECT_THAT(refusal(With(key.Header(), "typ", 7)), HasSubstr("another type"));
  EXPECT_THAT(refusal(Without(key.Header(), "alg")), HasSubstr("no 'alg'"));
  EXPECT_THAT(refusal(With(key.Header(), "alg", json::array({"ES256"}))), HasSubstr("no 'alg'"));
  EXPECT_THAT(refusal(With(key.Header(), "kid", 7)), HasSubstr("'kid'"));
  EXPECT_THAT(refusal(With(key.Header(), "kid", "k2")), HasSubstr("key is not known"));
  EXPECT_OK(Verify(key.Token(With(key.Header(), "typ", "at+jwt"), GoodClaims())));
  EXPECT_OK(Verify(key.Token(Without(key.Header(), "typ"), GoodClaims())));
}

TEST_F(JwtVerifierTest, AKeyInTheHeaderIsNotTaken) {
  const SigningKey stranger("ES256", "mine");
  const json header = {{"alg", "ES256"},
                       {"kid", "k1"},
                       {"jwk", stranger.Jwk()},
                       {"jku", "https://evil.example.org/keys"}};
  EXPECT_THAT(RefusalOf(stranger.Token(header, GoodClaims())), HasSubstr("signature is wrong"));
}

TEST_F(JwtVerifierTest, WithoutAnIdEveryKeyThatTakesTheAlgorithmIsTried) {
  const SigningKey first("ES256", "first");
  Know({first.Jwk(), KeyOf("RS256").Jwk(), KeyOf("ES256").Jwk()});
  EXPECT_OK(Verify(KeyOf("ES256").Token(Without(KeyOf("ES256").Header(), "kid"), GoodClaims())));
  const SigningKey stranger("ES256");
  RefusalOf(stranger.Token(Without(stranger.Header(), "kid"), GoodClaims()));
}

TEST_F(JwtVerifierTest, KeysOfSeveralKindsMayShareAnId) {
  Know({KeyOf("RS256").Jwk(), KeyOf("ES256").Jwk(), KeyOf("EdDSA").Jwk()});
  for (const char* algorithm : {"RS256", "ES256", "EdDSA"}) {
    EXPECT_OK(Verify(KeyOf(algorithm).Token(GoodClaims())));
  }
}

TEST_F(JwtVerifierTest, TextsThatAreNoTokenAreRefused) {
  const std::string token = KeyOf("ES256").Token(GoodClaims());
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("..."), "." + token,
        token + ".", token + "\n", " " + token, token + "=", std::string("a.b.c"),
        EncodeBase64Url("[]") + ".e30.AA", EncodeBase64Url("null") + ".e30.AA",
        EncodeBase64Url(std::string("{\"alg\":\"ES256\"}\0", 16)) + ".e30.AA",
        EncodeBase64Url("{\"alg\":\"none\",\"alg\":\"ES256\"}") + ".e30.AA"}) {
    RefusalOf(text);
  }
}

TEST_F(JwtVerifierTest, AnObjectWithTheSameKeyTwiceIsRefused) {
  const SigningKey& key = KeyOf("ES256");
  const auto signed_raw = [&](const std::string& claims) {
    const std::string text = EncodeBase64Url(key.Header().dump()) + "." + EncodeBase64Url(claims);
    return text + "." + EncodeBase64Url(key.Sign(text));
  };
  std::string claims = GoodClaims().dump();
  EXPECT_OK(Verify(signed_raw(claims)));
  claims.back() = ',';
  EXPECT_THAT(RefusalOf(signed_raw(claims + "\"sub\":\"root\"}")), HasSubstr("no JSON object"));
  EXPECT_THAT(RefusalOf(signed_raw(claims + "\"x\":{\"a\":1,\"a\":2}}")),
              HasSubstr("no JSON object"));
  EXPECT_OK(Verify(signed_raw(claims + "\"x\":{\"sub\":1},\"y\":[{\"sub\":1},{\"sub\":2}]}")));
}

TEST_F(JwtVerifierTest, WhatIsTooLongIsRefusedBeforeItIsRead) {
  const SigningKey& key = KeyOf("ES256");
  const std::string filler(20'000, 'x');
  EXPECT_THAT(RefusalOf(With(GoodClaims(), "x", filler)), HasSubstr("too long"));
  EXPECT_THAT(RefusalOf(key.Token(With(key.Header(), "x", filler.substr(0, 4096)), GoodClaims())),
              HasSubstr("too long"));
}

TEST_F(JwtVerifierTest, DeepNestingIsNoProblem) {
  const SigningKey& key = KeyOf("ES256");
  const std::string deep = std::string(5000, '[') + std::string(5000, ']');
  const std::string text = EncodeBase64Url(key.Header().dump()) + "." + EncodeBase64Url(deep);
  RefusalOf(text + "." + EncodeBase64Url(key.Sign(text)));
}

}  // namespace
}  // namespace hangar
