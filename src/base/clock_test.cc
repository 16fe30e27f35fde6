#include "base/clock.h"

#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::chrono::nanoseconds;

std::string Again(std::string_view text) {
  const auto time = ParseTimestamp(text);
  return time ? FormatTimestamp(*time) : "none";
}

TEST(Clock, FormatsRfc3339InUtcWithNanoseconds) {
  EXPECT_EQ(FormatTimestamp(Timestamp(std::chrono::nanoseconds(1))),
            "1970-01-01T00:00:00.000000001Z");
}

TEST(Clock, ReadsWhatItWrites) {
  for (const char* text : {"2026-01-31T23:59:59.000000001Z", "1970-01-01T00:00:00.000000000Z",
                           "2199-12-31T23:59:59.999999999Z"}) {
    EXPECT_EQ(Again(text), text);
  }
}

TEST(Clock, ReadsTheFormsOfRfc3339) {
  EXPECT_EQ(Again("2026-01-31T12:00:00Z"), "2026-01-31T12:00:00.000000000Z");
  EXPECT_EQ(Again("2026-01-31t12:00:00z"), "2026-01-31T12:00:00.000000000Z");
  EXPECT_EQ(Again("2026-01-31T12:00:00.5Z"), "2026-01-31T12:00:00.500000000Z");
  EXPECT_EQ(Again("2026-01-31T12:00:00+01:30"), "2026-01-31T10:30:00.000000000Z");
  EXPECT_EQ(Again("2026-01-31T12:00:00.25-08:00"), "2026-01-31T20:00:00.250000000Z");
  EXPECT_EQ(Again("2026-01-31"), "2026-01-31T00:00:00.000000000Z");
}

TEST(Clock, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "now", "2026", "2026-13-01", "2026-02-30", "2026-01-31T12:00:00",
        "2026-01-31T25:00:00Z", "2026-01-31T12:00:00Z ", "2026-01-31T12:00Zx",
        "1969-12-31T23:59:59Z", "9999-01-01", "2026-01-31T12:00:00+", "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.1234567890Z", "2026.5-01-31T12:00:00Z", "4052-01-31T12:00:00.5+02:00",
        "2026-01-31T12:00:00.5"}) {
    EXPECT_EQ(Again(text), "none") << text;
  }
}

TEST(Clock, TheCautiousClockIsNeverAheadOfTheMachines) {
  const CautiousClock clock;
  const Timestamp first = clock.Now();
  const Timestamp second = clock.Now();
  EXPECT_LE(first, second);
  EXPECT_LE(second, Now());
  EXPECT_GT(first, Now() - std::chrono::hours(1));
}

}  // namespace
}  // namespace hangar
