#include "access/token_file.h"

#include <set>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

constexpr char kHash[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string ErrorOf(const std::string& text) {
  const auto parsed = ParseTokens(text, "tokens.toml");
  EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument);
  return parsed.status().message();
}

class TokenFile : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(StartCrypto()); }
};

TEST_F(TokenFile, TokensHaveAPrefixAndAChecksumAndAreNeverTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    const std::string token = NewToken();
    EXPECT_EQ(token.size(), 55u);
    EXPECT_TRUE(token.starts_with("hangar_"));
    EXPECT_TRUE(LooksLikeToken(token));
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 100u);
}

TEST_F(TokenFile, ATextThatDiffersInOneCharacterDoesNotLookLikeAToken) {
  const std::string token = NewToken();
  for (size_t i = 0; i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(LooksLikeToken(other)) << i;
  }
  EXPECT_FALSE(LooksLikeToken(token + "A"));
  EXPECT_FALSE(LooksLikeToken(token.substr(0, token.size() - 1)));
  EXPECT_FALSE(LooksLikeToken("hangar_"));
  EXPECT_FALSE(LooksLikeToken(""));
}

TEST_F(TokenFile, WhatIsWrittenComesBack) {
  TokenRecord forever{.name = "nightly@example.org", .hash = Sha256("a")};
  forever.created = *ParseTimestamp("2026-01-31T12:00:00Z");
  TokenRecord limited{.name = "ci", .hash = Sha256("b")};
  limited.created = forever.created;
  limited.expires = *ParseTimestamp("2026-03-02T12:00:01Z");
  limited.grants = {{"read", "sales/**"}, {"write", "a \"quoted\" 'name\\* ü"}};

  const std::string text = FormatTokens({forever, limited});
  ASSERT_OK_AND_ASSIGN(const auto tokens, ParseTokens(text, "tokens.toml"));
  ASSERT_EQ(tokens.size(), 2u);
  EXPECT_EQ(tokens[0].name, "ci");
  EXPECT_EQ(tokens[0].hash, limited.hash);
  EXPECT_EQ(tokens[0].created, limited.created);
  EXPECT_EQ(tokens[0].expires, limited.expires);
  ASSERT_EQ(tokens[0].grants.size(), 2u);
  EXPECT_EQ(tokens[0].grants[1].action, "write");
  EXPECT_EQ(tokens[0].grants[1].glob, limited.grants[1].glob);
  EXPECT_EQ(tokens[1].name, "nightly@example.org");
  EXPECT_EQ(tokens[1].expires, std::nullopt);
  EXPECT_TRUE(tokens[1].grants.empty());
}

TEST_F(TokenFile, AnEmptyFileIsOneWithoutTokens) {
  ASSERT_OK_AND_ASSIGN(const auto none, ParseTokens(FormatTokens({}), "tokens.toml"));
  EXPECT_TRUE(none.empty());
  ASSERT_OK_AND_ASSIGN(const auto empty, ParseTokens("", "tokens.toml"));
  EXPECT_TRUE(empty.empty());
}

TEST_F(TokenFile, ATokenEndsAtItsTime) {
  TokenRecord token{.name = "a"};
  token.expires = *ParseTimestamp("2026-03-02T12:00:00Z");
  EXPECT_FALSE(token.IsExpired(*token.expires - std::chrono::nanoseconds(1)));
  EXPECT_TRUE(token.IsExpired(*token.expires));
  token.expires.reset();
  EXPECT_FALSE(token.IsExpired(*ParseTimestamp("2199-03-02T12:00:00Z")));
}

TEST_F(TokenFile, ErrorsNameTheFileAndTheLine) {
  const std::string good = std::format("[tokens.a]\nsha256 = \"{}\"\n", kHash);
  EXPECT_THAT(ErrorOf("\n[tokens.a\n"), HasSubstr("tokens.toml, line 2: "));
  EXPECT_THAT(ErrorOf("[tokens.a]\nsha256 = \"12\"\n"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(ErrorOf("[tokens.a]\n"), HasSubstr("line 1: the token 'a' needs a sha256"));
  EXPECT_THAT(ErrorOf(good + "expire = \"2026-01-01\"\n"),
              HasSubstr("line 3: the key 'expire' is not known"));
  EXPECT_THAT(ErrorOf(good + "expires = \"soon\"\n"), HasSubstr("line 3: 'soon' is no time"));
  EXPECT_THAT(ErrorOf(good + "expires = \"\"\n"), HasSubstr("'expires' is empty"));
  EXPECT_THAT(ErrorOf(good + "expires = 7\n"), HasSubstr("'expires' must be a string"));
  EXPECT_THAT(ErrorOf(good + "grants = \"read:a\"\n"), HasSubstr("an array of strings"));
  EXPECT_THAT(ErrorOf(good + "grants = [\"fly:a\"]\n"), HasSubstr("line 3"));
  EXPECT_THAT(ErrorOf("[users.a]\n"), HasSubstr("only [tokens.NAME] tables"));
  EXPECT_THAT(ErrorOf("[tokens]\na = 1\n"), HasSubstr("'a' is no table"));
  EXPECT_THAT(ErrorOf(std::format("[tokens.\"a b\"]\nsha256 = \"{}\"\n", kHash)),
              HasSubstr("cannot be a name"));
  EXPECT_THAT(ErrorOf(good + std::format("[tokens.b]\nsha256 = \"{}\"\n", kHash)),
              HasSubstr("the hash of another"));
}

TEST_F(TokenFile, GrantsAreAnActionAndAGlob) {
  ASSERT_OK_AND_ASSIGN(const auto grant, ParseTokenGrant("read:a:b/**"));
  EXPECT_EQ(grant.action, "read");
  EXPECT_EQ(grant.glob, "a:b/**");
  for (const char* wrong :
       {"", "read", "read:", ":a", "fly:a", "READ:a", "read:a\nb", "read:\xff"}) {
    EXPECT_FALSE(ParseTokenGrant(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hangar
