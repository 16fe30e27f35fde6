#include "base/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using ::testing::MatchesRegex;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kGood[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(ParseTraceparent, ReadsTheSpecificationsExample) {
  const auto trace = ParseTraceparent(kGood);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->trace_id, kTrace);
  EXPECT_EQ(trace->span_id, "00f067aa0ba902b7");
  EXPECT_EQ(trace->flags, 1);
  EXPECT_EQ(trace->ToTraceparent(), kGood);
}

TEST(ParseTraceparent, RefusesWhatTheSpecificationCallsInvalid) {
  for (const char* header : {"", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
                             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-xy",
                             "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
                             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
                             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                             "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01what",
                             " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(ParseTraceparent(header)) << header;
  }
}

TEST(ParseTraceparent, TakesOfALaterVersionWhatItKnows) {
  for (const char* header :
       {"cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-09-what-the-future-holds"}) {
    const auto trace = ParseTraceparent(header);
    ASSERT_TRUE(trace) << header;
    EXPECT_EQ(trace->ToTraceparent(), kGood);
  }
}

TEST(ContinueTrace, KeepsTheTraceAndMakesASpanOfItsOwn) {
  const TraceContext step = ContinueTrace(kGood);
  EXPECT_EQ(step.trace_id, kTrace);
  EXPECT_EQ(step.flags, 1);
  EXPECT_NE(step.span_id, "00f067aa0ba902b7");
  EXPECT_NE(step.span_id, ContinueTrace(kGood).span_id);
  EXPECT_TRUE(ParseTraceparent(step.ToTraceparent()));
}

TEST(ContinueTrace, BeginsATraceWhereThereIsNoneOrAMalformedOne) {
  const std::string none = ContinueTrace(std::nullopt).ToTraceparent();
  EXPECT_THAT(none, MatchesRegex("00-[0-9a-f]+-[0-9a-f]+-02"));
  EXPECT_TRUE(ParseTraceparent(none));
  const std::string malformed = ContinueTrace("00-x\n-y").ToTraceparent();
  EXPECT_TRUE(ParseTraceparent(malformed));
  EXPECT_NE(malformed.substr(3, 32), none.substr(3, 32));
}

}  // namespace
}  // namespace hangar
