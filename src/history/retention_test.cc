#include "history/retention.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

const Timestamp kNow = std::chrono::sys_days(std::chrono::year(2026) / 7 / 1);

RetentionPolicy KeepNothing() { return {.ticket_ttl = minutes(10), .versions = 0}; }

RetiredObject Retired(std::string version, Timestamp retired, int64_t bytes = 1,
                      RetiredBy by = RetiredBy::kReplaced) {
  return {.object = {.key = "a", .version = std::move(version), .size_bytes = bytes},
          .retired = retired,
          .by = by};
}

std::vector<std::string> Expired(RetentionSweep& sweep) {
  std::vector<std::string> versions;
  for (const RetiredObject& retired : sweep.TakeExpired()) {
    versions.push_back(retired.object.version);
  }
  std::ranges::sort(versions);
  return versions;
}

using Versions = std::vector<std::string>;

TEST(RetentionSweep, KeepsWhatTicketsMayName) {
  RetentionSweep sweep(KeepNothing(), kNow);
  RetiredObject held = Retired("held", kNow - hours(2));
  held.held_until = kNow + minutes(1);
  sweep.Add({Retired("new", kNow - minutes(9)), Retired("old", kNow - minutes(11)), held});
  EXPECT_EQ(Expired(sweep), (Versions{"old"}));
  EXPECT_EQ(sweep.kept_versions(), 2);
  EXPECT_EQ(sweep.next_expiry(), kNow + minutes(1));
}

TEST(RetentionSweep, KeepsTheLatestVersionsOfEachName) {
  RetentionSweep sweep({.versions = 2}, kNow);
  sweep.Add({Retired("a3", kNow - hours(1)), Retired("a2", kNow - hours(2)),
             Retired("a1", kNow - hours(3))});
  sweep.Add({Retired("b2", kNow - hours(4)), Retired("b1", kNow - hours(5))});
  EXPECT_EQ(Expired(sweep), (Versions{"a1"}));
  EXPECT_EQ(sweep.kept_bytes(), 4);
}

TEST(RetentionSweep, KeepsForATime) {
  RetentionSweep sweep({.time = hours(3)}, kNow);
  sweep.Add({Retired("a2", kNow - hours(2)), Retired("a1", kNow - hours(3))});
  EXPECT_EQ(Expired(sweep), (Versions{"a1"}));
  EXPECT_EQ(sweep.next_expiry(), kNow + hours(1));
}

TEST(RetentionSweep, TheEndOfTicketsIsOfNoInterestForWhatIsKeptAnyway) {
  RetentionSweep sweep({.ticket_ttl = minutes(10), .time = hours(3)}, kNow);
  sweep.Add({Retired("a", kNow - minutes(1))});
  EXPECT_EQ(sweep.next_expiry(), kNow - minutes(1) + hours(3));
}

TEST(RetentionSweep, TheOldestGoFirstWhenTheBytesAreUsedUp) {
  RetentionSweep sweep({.bytes = 10}, kNow);
  sweep.Add({Retired("a2", kNow - hours(1), 4), Retired("a1", kNow - hours(4), 4)});
  sweep.Add({Retired("b2", kNow - hours(2), 4), Retired("b1", kNow - hours(3), 4)});
  EXPECT_EQ(Expired(sweep), (Versions{"a1", "b1"}));
  EXPECT_EQ(sweep.kept_bytes(), 8);
  EXPECT_EQ(sweep.kept_versions(), 2);
}

TEST(RetentionSweep, TicketsCountMoreThanBytes) {
  RetentionSweep sweep({.ticket_ttl = minutes(10), .bytes = 1}, kNow);
  sweep.Add({Retired("a2", kNow - minutes(1), 100), Retired("a1", kNow - hours(1), 100)});
  EXPECT_EQ(Expired(sweep), (Versions{"a1"}));
  EXPECT_EQ(sweep.kept_bytes(), 100);
  EXPECT_EQ(sweep.next_expiry(), kNow + minutes(9));
}

TEST(RetentionSweep, ARenamedVersionIsKeptForItsTicketsOnly) {
  RetentionSweep sweep({.versions = 1}, kNow);
  sweep.Add({Retired("m2", kNow - minutes(1), 5, RetiredBy::kRenamed),
             Retired("m1", kNow - hours(1), 5, RetiredBy::kRenamed),
             Retired("r", kNow - hours(2), 7)});
  EXPECT_EQ(Expired(sweep), (Versions{"m1"}));
  EXPECT_EQ(sweep.kept_versions(), 1);
  EXPECT_EQ(sweep.kept_bytes(), 7);
}

TEST(RetentionSweep, PoliciesWithoutBoundsKeepEverything) {
  RetentionSweep sweep({.ticket_ttl = std::chrono::nanoseconds::max(),
                        .versions = INT64_MAX,
                        .time = std::chrono::nanoseconds::max()},
                       kNow);
  sweep.Add({Retired("a", Timestamp())});
  EXPECT_TRUE(Expired(sweep).empty());
}

}  // namespace
}  // namespace hangar
