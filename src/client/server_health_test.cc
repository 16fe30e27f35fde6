#include "client/server_health.h"

#include <gmock/gmock.h>

namespace hangar::client {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class ServerHealthTest : public testing::Test {
 protected:
  ServerHealth::Clock::time_point now_{seconds(1'000)};
  ServerHealth health_{[this] { return now_; }};
};

TEST_F(ServerHealthTest, LeavesTheOrderWhileAllAnswer) {
  EXPECT_THAT(health_.InOrder({"b", "a"}), ElementsAre("b", "a"));
}

TEST_F(ServerHealthTest, PutsAServerThatFailedBehindForAWhile) {
  EXPECT_TRUE(health_.Failed("a"));
  EXPECT_THAT(health_.InOrder({"a", "b", "c"}), ElementsAre("b", "c", "a"));
  now_ += seconds(4);
  EXPECT_THAT(health_.InOrder({"a", "b", "c"}), ElementsAre("b", "c", "a"));
  now_ += seconds(1);
  EXPECT_THAT(health_.InOrder({"a", "b", "c"}), ElementsAre("a", "b", "c"));
}

TEST_F(ServerHealthTest, TriesTheOneThatFailedLongestAgoFirstWhenAllFailed) {
  health_.Failed("b");
  now_ += seconds(1);
  health_.Failed("a");
  EXPECT_THAT(health_.InOrder({"a", "b"}), ElementsAre("b", "a"));
  now_ += seconds(1);
  EXPECT_FALSE(health_.Failed("b"));
  EXPECT_THAT(health_.InOrder({"a", "b"}), ElementsAre("a", "b"));
}

TEST_F(ServerHealthTest, PutsOneThatFailsAgainAndAgainBehindForUpToTwoMinutes) {
  for (const int expected : {5, 10, 20, 40, 80, 120, 120}) {
    health_.Failed("a");
    now_ += seconds(expected - 1);
    EXPECT_THAT(health_.InOrder({"a", "b"}), ElementsAre("b", "a")) << expected;
    now_ += seconds(1);
    EXPECT_THAT(health_.InOrder({"a", "b"}), ElementsAre("a", "b")) << expected;
  }
  health_.Answered("a");
  EXPECT_TRUE(health_.Failed("a"));
  now_ += seconds(5);
  EXPECT_THAT(health_.InOrder({"a", "b"}), ElementsAre("a", "b"));
}

TEST_F(ServerHealthTest, TellsAFailureOnceUntilTheServerAnswersAgain) {
  EXPECT_TRUE(health_.Failed("a"));
  EXPECT_FALSE(health_.Failed("a"));
  now_ += seconds(60);
  EXPECT_FALSE(health_.Failed("a"));
  health_.Answered("a");
  EXPECT_TRUE(health_.Failed("a"));
}

}  // namespace
}  // namespace hangar::client
