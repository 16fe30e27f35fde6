#include "access/crypto.h"

#include <arrow/testing/gtest_util.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

class Crypto : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(StartCrypto()); }
};

TEST_F(Crypto, HashesAsTheStandardSays) {
  EXPECT_EQ(EncodeHex(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  EXPECT_EQ(DecodeHex(EncodeHex(Sha256("abc"))), Sha256("abc"));
}

TEST_F(Crypto, RefusesHexadecimalOfAnotherLengthOrWithOtherLetters) {
  const std::string hex = EncodeHex(Sha256("abc"));
  EXPECT_EQ(DecodeHex(hex.substr(2)), std::nullopt);
  EXPECT_EQ(DecodeHex(hex + "00"), std::nullopt);
  EXPECT_EQ(DecodeHex("zz" + hex.substr(2)), std::nullopt);
  EXPECT_EQ(DecodeHex(hex.substr(1)), std::nullopt);
  EXPECT_EQ(DecodeHex(""), std::nullopt);
}

TEST_F(Crypto, Base64UrlComesBack) {
  for (size_t size = 0; size < 70; ++size) {
    const std::string bytes = RandomBytes(size);
    EXPECT_EQ(DecodeBase64Url(EncodeBase64Url(bytes)), bytes);
  }
  EXPECT_EQ(EncodeBase64Url("\xfb\xff"), "-_8");
}

TEST_F(Crypto, OneTextOnlyMeansTheSameBytes) {
  EXPECT_EQ(DecodeBase64Url("-_8"), "\xfb\xff");
  EXPECT_EQ(DecodeBase64Url("-_9"), std::nullopt) << "an unused bit is set";
  EXPECT_EQ(DecodeBase64Url("-_8="), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("-_8\n"), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("+/8"), std::nullopt);
  EXPECT_EQ(DecodeBase64Url("A"), std::nullopt);
}

TEST_F(Crypto, BasicCredentialsArePadded) {
  EXPECT_EQ(DecodeBase64("YWxpY2U6c2VjcmV0"), "alice:secret");
  EXPECT_EQ(DecodeBase64("YTpi"), "a:b");
  EXPECT_EQ(DecodeBase64("YTpiYw=="), "a:bc");
  EXPECT_EQ(DecodeBase64("YTpiYw"), std::nullopt);
  EXPECT_EQ(DecodeBase64("YTp iYw=="), std::nullopt);
}

TEST_F(Crypto, TagsDependOnTheKeyAndOnWhereFieldsEnd) {
  const MacKey key;
  EXPECT_EQ(key.Tag({"ab", "c"}), key.Tag({"ab", "c"}));
  EXPECT_NE(key.Tag({"ab", "c"}), key.Tag({"a", "bc"}));
  EXPECT_NE(key.Tag({"abc"}), key.Tag({"abc", ""}));
  EXPECT_NE(key.Tag({"abc"}), MacKey().Tag({"abc"}));
}

}  // namespace
}  // namespace hangar
