#include "access/password_check.h"

#include <algorithm>
#include <thread>
#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"
#include "access/password_hash.h"
#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

class PasswordCheckTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_OK(StartCrypto());
    ASSERT_OK_AND_ASSIGN(alice_hash_, HashPassword("alice's secret"));
    ASSERT_OK_AND_ASSIGN(bob_hash_, HashPassword("bob's secret"));
  }
  void SetUp() override {
    WriteUsers({{"alice", {alice_hash_, {"analysts"}}}, {"bob", {bob_hash_, {}}}});
    ASSERT_OK_AND_ASSIGN(check_, PasswordCheck::Make(folder_ / "users.toml", logger_));
  }
  void WriteUsers(const Users& users) { folder_.Write("users.toml", FormatUsers(users)); }
  arrow::Result<std::shared_ptr<const Identity>> Check(const std::string& name,
                                                       const std::string& password) {
    return check_->Check("192.0.2.1", name, password, limiter_);
  }
  ErrorKind FailureOf(const std::string& name, const std::string& password) {
    const auto checked = Check(name, password);
    EXPECT_FALSE(checked.ok()) << name;
    return KindOf(checked.status());
  }

  static inline std::string alice_hash_;
  static inline std::string bob_hash_;
  const TestFolder folder_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  FailureLimiter limiter_;
  std::unique_ptr<PasswordCheck> check_;
};

TEST_F(PasswordCheckTest, TheRightPasswordShowsItsUser) {
  ASSERT_OK_AND_ASSIGN(const auto identity, Check("alice", "alice's secret"));
  EXPECT_EQ(identity->ToString(), "user:alice");
  EXPECT_THAT(identity->groups, ::testing::ElementsAre("analysts"));
}

TEST_F(PasswordCheckTest, WrongPasswordsAndUnknownNamesFailAlikeAndCostTheSame) {
  const auto wrong = Check("alice", "bob's secret");
  EXPECT_EQ(check_->hashes(), 1);
  const auto unknown = Check("carol", "bob's secret");
  EXPECT_EQ(check_->hashes(), 2);
  EXPECT_EQ(wrong.status(), unknown.status());
  EXPECT_EQ(KindOf(wrong.status()), ErrorKind::kUnauthenticated);
}

TEST_F(PasswordCheckTest, TheStandInsPasswordLetsNobodyIn) {
  for (const char* name : {"carol", "dave", "erin", "frank"}) {
    EXPECT_EQ(FailureOf(name, "alice's secret"), ErrorKind::kUnauthenticated);
    EXPECT_EQ(FailureOf(name, "bob's secret"), ErrorKind::kUnauthenticated);
  }
}

TEST_F(PasswordCheckTest, ASuccessIsRememberedAndAFailureIsNot) {
  for (int i = 0; i < 50; ++i) ASSERT_OK(Check("alice", "alice's secret"));
  EXPECT_EQ(check_->hashes(), 1);
  FailureOf("alice", "wrong password");
  FailureOf("alice", "wrong password");
  EXPECT_EQ(check_->hashes(), 3);
}

TEST_F(PasswordCheckTest, RequestsThatArriveTogetherPayOnceForEachTurn) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { right += Check("alice", "alice's secret").ok() ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
  EXPECT_LE(check_->hashes(), 3) << "two at a time, the others find it remembered";
}

TEST_F(PasswordCheckTest, WhatIsRememberedEndsWithTheUserOrThePassword) {
  ASSERT_OK(Check("alice", "alice's secret"));
  ASSERT_OK(Check("bob", "bob's secret"));
  WriteUsers({{"bob", {alice_hash_, {}}}});
  ASSERT_TRUE(Eventually([&] { return check_->users()->size() == 1; }));
  EXPECT_EQ(FailureOf("alice", "alice's secret"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(FailureOf("bob", "bob's secret"), ErrorKind::kUnauthenticated);
  EXPECT_OK(Check("bob", "alice's secret"));
}

TEST_F(PasswordCheckTest, AfterTooManyFailuresNotEvenTheRightPasswordIsTried) {
  for (int i = 0; i < 10; ++i) FailureOf("alice", "wrong password");
  const auto hashes = check_->hashes();
  EXPECT_EQ(FailureOf("alice", "wrong password"), ErrorKind::kResourceExhausted);
  EXPECT_EQ(FailureOf("alice", "alice's secret"), ErrorKind::kResourceExhausted);
  EXPECT_EQ(check_->hashes(), hashes);
  EXPECT_OK(check_->Check("192.0.2.2", "alice", "alice's secret", limiter_));
}

TEST_F(PasswordCheckTest, WhoeverWasRightAMomentAgoIsNotHeldUp) {
  ASSERT_OK(Check("alice", "alice's secret"));
  for (int i = 0; i < 12; ++i) FailureOf("alice", "wrong password");
  EXPECT_OK(Check("alice", "alice's secret"));
}

TEST_F(PasswordCheckTest, AFileThatIsWrongLeavesTheUsersAndIsSaidOnce) {
  folder_.Write("users.toml", "[users.alice]\npassword = \"hunter2\"\n");
  ASSERT_TRUE(Eventually([&] { return check_->users() && !logger_->lines().empty(); }));
  EXPECT_OK(Check("alice", "alice's secret"));
  ASSERT_EQ(logger_->lines().size(), 1u);
  EXPECT_THAT(logger_->lines()[0], ::testing::HasSubstr("users.toml, line 1"));
  EXPECT_THAT(logger_->lines()[0], ::testing::Not(::testing::HasSubstr("hunter2")));
}

TEST_F(PasswordCheckTest, WithoutUsersNobodyIsLetIn) {
  folder_.Write("none.toml", "");
  ASSERT_OK_AND_ASSIGN(check_, PasswordCheck::Make(folder_ / "none.toml", logger_));
  EXPECT_EQ(FailureOf("alice", "alice's secret"), ErrorKind::kUnauthenticated);
}

TEST_F(PasswordCheckTest, AFileThatIsMissingOrWrongIsRefusedAtTheStart) {
  EXPECT_EQ(KindOf(PasswordCheck::Make(folder_ / "no.toml", logger_).status()),
            ErrorKind::kFailedPrecondition);
  folder_.Write("wrong.toml", "users = 1");
  EXPECT_EQ(KindOf(PasswordCheck::Make(folder_ / "wrong.toml", logger_).status()),
            ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace hangar
