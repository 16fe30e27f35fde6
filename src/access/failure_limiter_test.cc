#include "access/failure_limiter.h"

#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::chrono::seconds;

class FailureLimiterTest : public ::testing::Test {
 protected:
  bool Fail(const std::string& source, const std::string& name) {
    return limiter_.MayTryPassword(source, name, now_);
  }
  bool Succeed(const std::string& source, const std::string& name) {
    if (!limiter_.MayTryPassword(source, name, now_)) return false;
    limiter_.PasswordWasRight(source, name);
    return true;
  }
  int FailuresLet(const std::string& source, const std::string& name) {
    int count = 0;
    while (Fail(source, name)) ++count;
    return count;
  }

  FailureLimiter limiter_;
  FailureLimiter::Time now_{std::chrono::hours(1)};
};

TEST_F(FailureLimiterTest, ANameMayFailTenTimesAndThenOnceInTenSeconds) {
  EXPECT_EQ(FailuresLet("192.0.2.1", "alice"), 10);
  now_ += seconds(9);
  EXPECT_FALSE(Fail("192.0.2.1", "alice"));
  now_ += seconds(1);
  EXPECT_TRUE(Fail("192.0.2.1", "alice"));
  EXPECT_FALSE(Fail("192.0.2.1", "alice"));
}

TEST_F(FailureLimiterTest, OtherSourcesAndOtherNamesAreNotSlowed) {
  FailuresLet("192.0.2.1", "alice");
  EXPECT_TRUE(Fail("192.0.2.2", "alice"));
  EXPECT_TRUE(Fail("192.0.2.1", "bob"));
}

TEST_F(FailureLimiterTest, SuccessesCostNothing) {
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(Succeed("192.0.2.1", "alice"));
  EXPECT_EQ(FailuresLet("192.0.2.1", "alice"), 10);
}

TEST_F(FailureLimiterTest, AttemptsThatWereNotTriedCostNothing) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(limiter_.MayTryPassword("192.0.2.1", "alice", now_));
    limiter_.PasswordWasNotTried("192.0.2.1", "alice");
  }
  EXPECT_EQ(FailuresLet("192.0.2.1", "alice"), 10);
}

TEST_F(FailureLimiterTest, ASourceThatTriesManyNamesIsSlowedInAll) {
  int let = 0;
  for (int i = 0; i < 1000; ++i) let += Fail("192.0.2.1", "name" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(let, 100);
  EXPECT_TRUE(Fail("192.0.2.2", "name0"));
  now_ += seconds(5);
  EXPECT_TRUE(Fail("192.0.2.1", "another"));
}

TEST_F(FailureLimiterTest, WhoWasRightBeforeIsNotLockedOutByOthersOfTheSameAddress) {
  ASSERT_TRUE(Succeed("192.0.2.1", "alice"));
  for (int i = 0; i < 1000; ++i) Fail("192.0.2.1", "name" + std::to_string(i));
  EXPECT_FALSE(Fail("192.0.2.1", "bob"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Succeed("192.0.2.1", "alice"));
  EXPECT_EQ(FailuresLet("192.0.2.1", "alice"), 10) << "guessing their password stays slow";
}

TEST_F(FailureLimiterTest, AFloodOfNamesFromOneSourceMakesNothingBeForgotten) {
  ASSERT_TRUE(Succeed("192.0.2.1", "alice"));
  FailuresLet("192.0.2.1", "bob");
  for (size_t i = 0; i < 2 * FailureLimiter::kKeysMax; ++i) {
    Fail("192.0.2.1", "name" + std::to_string(i));
  }
  EXPECT_FALSE(Fail("192.0.2.1", "bob"));
  EXPECT_TRUE(Succeed("192.0.2.1", "alice"));
}

TEST_F(FailureLimiterTest, WrongTokensAreCountedBySource) {
  int let = 0;
  while (limiter_.NoteWrongToken("192.0.2.1", now_)) ++let;
  EXPECT_EQ(let, 100);
  EXPECT_TRUE(limiter_.NoteWrongToken("192.0.2.2", now_));
  now_ += seconds(1);
  EXPECT_TRUE(limiter_.NoteWrongToken("192.0.2.1", now_));
}

TEST_F(FailureLimiterTest, AClockThatStandsOrGoesBackFillsNothing) {
  FailuresLet("192.0.2.1", "alice");
  now_ -= seconds(100);
  EXPECT_FALSE(Fail("192.0.2.1", "alice"));
}

TEST(SourceOfPeer, IsTheAddressHoweverItIsWritten) {
  EXPECT_EQ(SourceOfPeer("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(SourceOfPeer("ipv4:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(SourceOfPeer("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(SourceOfPeer("[::1]"), "::/64");
  EXPECT_EQ(SourceOfPeer("ipv6:[fe80::1%eth0]"), "fe80::/64");
}

TEST(SourceOfPeer, IsTheSameForAllAddressesOfOneNetworkOfIpv6) {
  EXPECT_EQ(SourceOfPeer("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(SourceOfPeer("2001:db8:1:2::"), SourceOfPeer("2001:db8:1:2:ffff::1"));
  EXPECT_NE(SourceOfPeer("2001:db8:1:3::1"), SourceOfPeer("2001:db8:1:2::1"));
}

TEST(SourceOfPeer, IsBoundedForWhatIsNoAddress) {
  EXPECT_EQ(SourceOfPeer("unix:"), "unix:");
  EXPECT_EQ(SourceOfPeer(std::string(1000, 'x')).size(), 64u);
}

TEST(LruMap, WhatWasNotUsedForLongestMakesRoom) {
  LruMap<int, int> map(2);
  map.FindOrAdd(1, 10);
  map.FindOrAdd(2, 20);
  EXPECT_EQ(*map.Find(1), 10);
  map.FindOrAdd(3, 30);
  EXPECT_EQ(map.Find(2), nullptr);
  EXPECT_EQ(*map.Find(1), 10);
  EXPECT_EQ(map.FindOrAdd(3, 31), 30);
  EXPECT_EQ(map.size(), 2u);
}

}  // namespace
}  // namespace hangar
