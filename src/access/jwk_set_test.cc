#include "access/jwk_set.h"

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/crypto.h"
#include "access/jwt_test_support.h"
#include "base/error.h"

namespace hangar {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class JwkSetTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(StartCrypto()); }
  static std::string RefusalOf(const json& key) {
    const auto parsed = VerificationKey::Parse(key.dump());
    EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument) << key;
    return parsed.status().message();
  }
  static json With(json key, const char* name, json value) {
    key[name] = std::move(value);
    return key;
  }

  const json ec_ = SigningKey("ES256").Jwk();
};

TEST_F(JwkSetTest, AKeyTakesWhatItsKindCan) {
  ASSERT_OK_AND_ASSIGN(const auto ec, VerificationKey::Parse(ec_.dump()));
  EXPECT_EQ(ec.id(), "k1");
  EXPECT_TRUE(ec.Takes("ES256"));
  EXPECT_FALSE(ec.Takes("ES384"));
  ASSERT_OK_AND_ASSIGN(const auto rsa, VerificationKey::Parse(SigningKey("RS256").Jwk().dump()));
  EXPECT_TRUE(rsa.Takes("PS512"));
  EXPECT_FALSE(rsa.Takes("HS256"));
  EXPECT_FALSE(rsa.Takes(""));
}

TEST_F(JwkSetTest, TheStandardsExampleVerifies) {
  // RFC 8037, appendix A.2 and A.4.
  ASSERT_OK_AND_ASSIGN(const auto key, VerificationKey::Parse(R"({"kty":"OKP","crv":"Ed25519",
                                 "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})"));
  const auto signature = DecodeBase64Url(
      "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  EXPECT_TRUE(key.Verifies("EdDSA", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                           *signature));
  EXPECT_FALSE(key.Verifies("EdDSA", "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmC",
                            *signature));
}

TEST_F(JwkSetTest, SecretWeakAndForeignKeysAreRefused) {
  EXPECT_THAT(RefusalOf(With(ec_, "d", "AAAA")), HasSubstr("secret"));
  EXPECT_THAT(RefusalOf({{"kty", "oct"}, {"k", "AAAA"}}), HasSubstr("secret"));
  EXPECT_THAT(RefusalOf(SigningKey("RS256", "k1", 1024).Jwk()), HasSubstr("under 2048 bits"));
  EXPECT_THAT(RefusalOf(With(ec_, "use", "enc")), HasSubstr("not for signatures"));
  EXPECT_THAT(RefusalOf(With(ec_, "key_ops", {"sign"})), HasSubstr("not for signatures"));
  EXPECT_THAT(RefusalOf(With(ec_, "crv", "secp256k1")), HasSubstr("not supported"));
  EXPECT_THAT(RefusalOf(With(ec_, "kty", "RSA")), HasSubstr("no base64url"));
  EXPECT_THAT(RefusalOf(With(ec_, "alg", "RS256")), HasSubstr("not one of its kind"));
  EXPECT_THAT(RefusalOf(With(ec_, "alg", "ES384")), HasSubstr("not one of its kind"));
  EXPECT_THAT(RefusalOf(json::array()), HasSubstr("no JSON object"));
}

TEST_F(JwkSetTest, APointThatIsNotOnTheCurveIsRefused) {
  std::string x = *DecodeBase64Url(ec_["x"].get<std::string>());
  x[31] = static_cast<char>(x[31] ^ 1);
  RefusalOf(With(ec_, "x", EncodeBase64Url(x)));
  RefusalOf(With(ec_, "x", EncodeBase64Url(x.substr(1))));
  RefusalOf(With(ec_, "crv", "P-384"));
  RefusalOf(With(ec_, "y", 7));
}

TEST_F(JwkSetTest, KeysForOtherPurposesAreLeftOut) {
  ASSERT_OK_AND_ASSIGN(
      const JwkSet set,
      ParseJwkSet(JwksOf({With(ec_, "use", "enc"), ec_, json{{"kty", "new"}}, json(7)}), "keys"));
  EXPECT_EQ(set.keys.size(), 1u);
}

TEST_F(JwkSetTest, ASetWithoutAKeyThatCanBeUsedIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("{\"keys\":{}}"),
        std::string("{\"keys\":[]}"), JwksOf({With(ec_, "use", "enc")}),
        JwksOf(std::vector<json>(65, ec_)), JwksOf({ec_}) + "}"}) {
    const auto parsed = ParseJwkSet(text, "keys.json");
    EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument) << text;
    EXPECT_THAT(parsed.status().message(), ::testing::StartsWith("keys.json: "));
  }
}

}  // namespace
}  // namespace hangar
