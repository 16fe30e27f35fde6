#include "cli/units.h"

#include <chrono>
#include <limits>

#include <gmock/gmock.h>

namespace hangar::cli {
namespace {

TEST(FormatBytes, UsesBinaryUnits) {
  EXPECT_EQ(FormatBytes(-1), "-");
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1024), "1.0 KiB");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(102'297), "99.9 KiB");
  EXPECT_EQ(FormatBytes(102'400), "100 KiB");
  EXPECT_EQ(FormatBytes((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(FormatBytes(int64_t{3} << 30), "3.0 GiB");
  EXPECT_EQ(FormatBytes(std::numeric_limits<int64_t>::max()), "8.0 EiB");
}

TEST(FormatCount, GroupsDigits) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
  EXPECT_EQ(FormatCount(-1234), "-1,234");
  EXPECT_EQ(FormatCount(-123), "-123");
}

TEST(FormatDuration, UsesMinutesAndHours) {
  EXPECT_EQ(FormatDuration(0), "0:00");
  EXPECT_EQ(FormatDuration(59.4), "0:59");
  EXPECT_EQ(FormatDuration(59.6), "1:00");
  EXPECT_EQ(FormatDuration(3 * 3600 + 62), "3:01:02");
  EXPECT_EQ(FormatDuration(1e9), "-");
  EXPECT_EQ(FormatDuration(-1), "-");
  EXPECT_EQ(FormatDuration(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(FormatTime, IsIsoInWholeSeconds) {
  EXPECT_EQ(FormatTime(Timestamp(std::chrono::nanoseconds(1'999'999'999))), "1970-01-01T00:00:01Z");
  EXPECT_EQ(FormatTime({}), "-");
}

TEST(CountOf, IsOneOrMany) {
  EXPECT_EQ(CountOf(0, "version"), "0 versions");
  EXPECT_EQ(CountOf(1, "version"), "1 version");
  EXPECT_EQ(CountOf(1234, "version"), "1,234 versions");
}

TEST(FormatSpan, TakesTheLargestUnitThatIsWhole) {
  EXPECT_EQ(FormatSpan(std::chrono::seconds(0)), "0s");
  EXPECT_EQ(FormatSpan(std::chrono::seconds(90)), "90s");
  EXPECT_EQ(FormatSpan(std::chrono::minutes(10)), "10m");
  EXPECT_EQ(FormatSpan(std::chrono::hours(36)), "36h");
  EXPECT_EQ(FormatSpan(std::chrono::days(7)), "7d");
}

}  // namespace
}  // namespace hangar::cli
