#include "service/caller_rates.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "access/identity.h"
#include "base/error.h"

namespace hangar {
namespace {

using Direction = CallerRates::Direction;
using Clock = std::chrono::steady_clock;

Caller User(const std::string& name) {
  return {.peer = "ipv4:192.0.2.1:1234",
          .identity = std::make_shared<const Identity>(
              Identity{.kind = IdentityKind::kUser, .name = name})};
}

// Asks whether somebody would have to wait, without waiting.
bool HasToWait(CallerRates& rates, Caller caller, Direction direction, int64_t bytes) {
  caller.is_cancelled = [] { return true; };
  return KindOf(rates.Pace(caller, direction, bytes)) == ErrorKind::kCancelled;
}

TEST(CallerRates, WithoutALimitNobodyWaits) {
  CallerRates rates(0);
  EXPECT_FALSE(rates.is_limited());
  EXPECT_FALSE(HasToWait(rates, User("a"), Direction::kOut, INT64_MAX));
}

TEST(CallerRates, ASecondsWorthMayBeTakenAtOnceAndThenOneWaits) {
  CallerRates rates(1 << 20);
  EXPECT_FALSE(HasToWait(rates, User("a"), Direction::kOut, 1 << 20));
  EXPECT_TRUE(HasToWait(rates, User("a"), Direction::kOut, 1 << 20));
}

TEST(CallerRates, CallersAndDirectionsDoNotCountForEachOther) {
  CallerRates rates(1 << 20);
  EXPECT_TRUE(HasToWait(rates, User("a"), Direction::kOut, 3 << 20));
  EXPECT_FALSE(HasToWait(rates, User("b"), Direction::kOut, 1000));
  EXPECT_FALSE(HasToWait(rates, User("a"), Direction::kIn, 1000));
}

TEST(CallerRates, WhoWaitedGetsItsTurn) {
  CallerRates rates(1000);
  const auto begin = Clock::now();
  ASSERT_TRUE(rates.Pace(User("a"), Direction::kOut, 1000).ok());
  ASSERT_TRUE(rates.Pace(User("a"), Direction::kOut, 200).ok());
  EXPECT_GE(Clock::now() - begin, std::chrono::milliseconds(190));
}

TEST(CallerRates, ConnectionsOfOneAddressCountTogether) {
  CallerRates rates(1 << 20);
  EXPECT_TRUE(HasToWait(rates, {.peer = "ipv4:192.0.2.1:1234"}, Direction::kOut, 3 << 20));
  EXPECT_TRUE(HasToWait(rates, {.peer = "ipv4:192.0.2.1:5678"}, Direction::kOut, 1000));
  EXPECT_FALSE(HasToWait(rates, {.peer = "ipv4:192.0.2.2:1234"}, Direction::kOut, 1000));
}

}  // namespace
}  // namespace hangar
