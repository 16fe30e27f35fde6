#include "access/session_tokens.h"

#include <fstream>

#include <arrow/testing/gtest_util.h>
#include <arrow/util/io_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using std::chrono::seconds;

// Hashes are only texts here.
class SessionTokensTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(StartCrypto()); }
  std::string Issue() { return sessions_.Issue("alice", users_.at("alice"), now_); }
  bool IsGood(const std::string& token) { return sessions_.Check(token, users_, now_).ok(); }

  Users users_ = {{"alice", {"hash 1", {"analysts"}}}, {"bob", {"hash 2", {}}}};
  const SessionTokens sessions_{seconds(3600)};
  Timestamp now_ = *ParseTimestamp("2026-01-31T12:00:00Z");
};

TEST_F(SessionTokensTest, ATokenShowsItsUser) {
  ASSERT_OK_AND_ASSIGN(const auto identity, sessions_.Check(Issue(), users_, now_));
  EXPECT_EQ(identity->ToString(), "user:alice");
  EXPECT_THAT(identity->groups, ::testing::ElementsAre("analysts"));
}

TEST_F(SessionTokensTest, ATokenEndsAtItsTime) {
  const std::string token = Issue();
  now_ += seconds(3600) - std::chrono::nanoseconds(1);
  EXPECT_TRUE(IsGood(token));
  now_ += std::chrono::nanoseconds(1);
  EXPECT_FALSE(IsGood(token));
}

TEST_F(SessionTokensTest, ATokenIsVoidOnceTheUserIsRemovedOrHasAnotherPassword) {
  const std::string token = Issue();
  const Users before = users_;
  users_.erase("alice");
  EXPECT_FALSE(IsGood(token));
  users_ = before;
  EXPECT_TRUE(IsGood(token));
  users_["alice"].password_hash = "hash 3";
  EXPECT_FALSE(IsGood(token));
}

TEST_F(SessionTokensTest, GroupsAreThoseOfTheMoment) {
  const std::string token = Issue();
  users_["alice"].groups = {"auditors"};
  ASSERT_OK_AND_ASSIGN(const auto identity, sessions_.Check(token, users_, now_));
  EXPECT_THAT(identity->groups, ::testing::ElementsAre("auditors"));
}

TEST_F(SessionTokensTest, NoChangedTokenIsGood) {
  const std::string token = Issue();
  for (size_t i = kSessionPrefix.size(); i < token.size(); ++i) {
    std::string other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(IsGood(other)) << i;
  }
  for (size_t size = 0; size < token.size(); ++size) EXPECT_FALSE(IsGood(token.substr(0, size)));
  EXPECT_FALSE(IsGood(token + "A"));
  EXPECT_FALSE(IsGood(token + "AAAA"));
}

TEST_F(SessionTokensTest, ANameCannotBeExchanged) {
  users_["bob"].password_hash = users_["alice"].password_hash;
  std::string bytes = *DecodeBase64Url(Issue().substr(kSessionPrefix.size()));
  bytes.replace(bytes.size() - 5, 5, "bob");
  EXPECT_FALSE(IsGood(std::string(kSessionPrefix) + EncodeBase64Url(bytes)));
}

TEST_F(SessionTokensTest, TokensOfAnotherProcessAreNotGood) {
  const SessionTokens other(seconds(3600));
  EXPECT_FALSE(IsGood(other.Issue("alice", users_.at("alice"), now_)));
}

TEST_F(SessionTokensTest, TokensOfTheSameSecretAreGoodEverywhere) {
  const std::string secret(32, 's');
  const SessionTokens one(seconds(3600), secret);
  const SessionTokens another(seconds(60), secret);
  const SessionTokens stranger(seconds(3600), std::string(32, 't'));
  const std::string token = one.Issue("alice", users_.at("alice"), now_);
  EXPECT_OK(another.Check(token, users_, now_).status());
  EXPECT_FALSE(stranger.Check(token, users_, now_).ok());
  EXPECT_FALSE(sessions_.Check(token, users_, now_).ok());
  users_["alice"].password_hash = "hash 3";
  EXPECT_FALSE(another.Check(token, users_, now_).ok());
}

TEST(SessionSecret, IsAllThatTheFileHoldsAndLong) {
  const auto folder = arrow::internal::TemporaryDir::Make("hangar-session-").ValueOrDie();
  const std::string path = folder->path().ToString() + "key";
  EXPECT_EQ(KindOf(ReadSessionSecret(path).status()), ErrorKind::kFailedPrecondition);
  const std::string secret = std::string(31, '\0') + "\n";
  std::ofstream(path, std::ios::binary) << secret;
  EXPECT_EQ(ReadSessionSecret(path).ValueOrDie(), secret);
  std::ofstream(path, std::ios::binary) << "hunter2";
  const auto status = ReadSessionSecret(path).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("has 7 bytes; it takes 32 or more"));
  EXPECT_THAT(status.message(), ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST_F(SessionTokensTest, AMacForNobodyIsNobodys) {
  const std::string token = sessions_.Issue("carol", UserRecord{}, now_);
  EXPECT_EQ(KindOf(sessions_.Check(token, users_, now_).status()), ErrorKind::kUnauthenticated);
}

}  // namespace
}  // namespace hangar
