#include "s3/retry.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RetryPolicy, DrawsPausesFromAWindowThatDoubles) {
  std::vector<milliseconds> slept;
  double drawn = 1.0;
  RetryPolicy policy({.attempts_max = 6,
                      .base = milliseconds(100),
                      .cap = milliseconds(500),
                      .sleep = [&](milliseconds time) { slept.push_back(time); },
                      .random = [&] { return drawn; }});
  for (int attempt = 1; attempt <= 5; ++attempt)
    EXPECT_TRUE(policy.WaitForNext({.made = attempt}, {}));
  EXPECT_FALSE(policy.WaitForNext({.made = 6}, {}));
  EXPECT_THAT(slept, testing::ElementsAre(milliseconds(100), milliseconds(200), milliseconds(400),
                                          milliseconds(500), milliseconds(500)));
  drawn = 0;
  EXPECT_TRUE(policy.WaitForNext({.made = 1}, {}));
  EXPECT_EQ(slept.back(), milliseconds(0));
}

TEST(RetryPolicy, WaitsAtLeastAsLongAsTheServerAsksButNotForever) {
  std::vector<milliseconds> slept;
  RetryPolicy policy({.retry_after_max = seconds(30),
                      .sleep = [&](milliseconds time) { slept.push_back(time); },
                      .random = [] { return 0.0; }});
  EXPECT_TRUE(policy.WaitForNext({.made = 1}, seconds(3)));
  EXPECT_THAT(slept, testing::ElementsAre(milliseconds(3000)));
  EXPECT_FALSE(policy.WaitForNext({.made = 1}, seconds(31)));
}

TEST(RetryPolicy, EndsInTimeHoweverPatientTheServerAsksToBe) {
  std::vector<milliseconds> slept;
  RetryPolicy policy(
      {.time_max = seconds(100), .sleep = [&](milliseconds time) { slept.push_back(time); }});
  const auto before = [](seconds time) { return std::chrono::steady_clock::now() - time; };
  EXPECT_TRUE(policy.WaitForNext({.made = 2, .begun = before(seconds(60))}, seconds(30)));
  EXPECT_FALSE(policy.WaitForNext({.made = 3, .begun = before(seconds(90))}, seconds(30)));
  EXPECT_FALSE(policy.WaitForNext({.made = 4, .begun = before(seconds(120))}, {}));
  EXPECT_EQ(slept.size(), 1);
}

TEST(RetryPolicy, RepeatsAsFarAsTheBudgetGoesAndSuccessesFillIt) {
  RetryPolicy policy({.budget_tokens = 10, .sleep = [](milliseconds) {}});
  EXPECT_TRUE(policy.WaitForNext({.made = 1}, {}));
  EXPECT_TRUE(policy.WaitForNext({.made = 1}, {}));
  EXPECT_FALSE(policy.WaitForNext({.made = 1}, {}));
  for (int i = 0; i < 5; ++i) policy.Succeeded();
  EXPECT_TRUE(policy.WaitForNext({.made = 1}, {}));
  EXPECT_FALSE(policy.WaitForNext({.made = 1}, {}));
}

}  // namespace
}  // namespace hangar
