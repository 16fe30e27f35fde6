#include "metrics/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, TextHoldsWhatWasCountedWithItsHelpAndType) {
  Metrics metrics;
  metrics.Counter("hangar_things_total", "Things.", {{"kind", "a"}}).Add(2);
  metrics.Counter("hangar_things_total", "Things.", {{"kind", "a"}}).Add();
  EXPECT_THAT(metrics.Text(), HasSubstr("# HELP hangar_things_total Things.\n"
                                        "# TYPE hangar_things_total counter\n"
                                        "hangar_things_total{kind=\"a\"} 3\n"));
}

TEST(Metrics, DurationsFallIntoTheBucketsOfTheirBounds) {
  Metrics metrics;
  const auto durations = metrics.Durations("hangar_step_seconds", "Steps.", {0.1, 1});
  durations.Observe(milliseconds(100));
  durations.Observe(milliseconds(500));
  durations.Observe(milliseconds(2000));
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("hangar_step_seconds_bucket{le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hangar_step_seconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("hangar_step_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("hangar_step_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("hangar_step_seconds_sum 2.6\n"));
}

TEST(Metrics, WhatIsAskedForIsAskedAtEachLook) {
  Metrics metrics;
  double value = 1;
  metrics.AskGauge("hangar_level", "Level.", {{"of", "b"}}, [&] { return value; });
  metrics.AskGauge("hangar_level", "Level.", {{"of", "a"}}, [] { return 7; });
  metrics.AskCounter("hangar_asked_total", "Asked.", {}, [&] { return 2 * value; });
  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE hangar_level gauge\n"
                                        "hangar_level{of=\"a\"} 7\n"
                                        "hangar_level{of=\"b\"} 1\n"));
  value = 3;
  EXPECT_THAT(metrics.Text(), HasSubstr("hangar_level{of=\"b\"} 3\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("# TYPE hangar_asked_total counter\n"
                                        "hangar_asked_total 6\n"));
}

TEST(Metrics, AskNothingOnceTheyWereToldToStop) {
  Metrics metrics;
  bool asked = false;
  metrics.AskGauge("hangar_level", "Level.", {}, [&] { return asked = true; });
  metrics.StopAsking();
  EXPECT_THAT(metrics.Text(), Not(HasSubstr("hangar_level")));
  EXPECT_FALSE(asked);
}

TEST(Metrics, LargeNumbersKeepTheirDigits) {
  Metrics metrics;
  metrics.AskGauge("hangar_bytes", "Bytes.", {}, [] { return 1234567890123456.0; });
  EXPECT_THAT(metrics.Text(), HasSubstr("hangar_bytes 1234567890123456\n"));
}

TEST(Metrics, WhatWasNeverMadeNotesNothing) {
  EventCounter().Add();
  DurationHistogram().Observe(milliseconds(1));
}

}  // namespace
}  // namespace hangar
