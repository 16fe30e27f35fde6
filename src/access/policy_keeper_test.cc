#include "access/policy_keeper.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

class PolicyKeeperTest : public ::testing::Test {
 protected:
  PolicyKeeperTest() { Write("[roles.a]\nmembers = ['everyone']\nread = ['**']\n"); }
  ~PolicyKeeperTest() override { std::filesystem::remove(path_); }

  void Write(const std::string& toml) { std::ofstream(path_) << toml; }

  bool EveryoneMayRead(PolicyKeeper& keeper) {
    return keeper.Current()->Allows(*AnonymousIdentity(), AccessAction::kRead, "x");
  }

  const std::string path_ =
      std::filesystem::path(::testing::TempDir()) /
      ("policy_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) +
       ".toml");
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(PolicyKeeperTest, SeesThatTheFileChanged) {
  const auto keeper = PolicyKeeper::OfFile(path_, logger_).ValueOrDie();
  EXPECT_TRUE(EveryoneMayRead(*keeper));
  Write("[roles.a]\nmembers = ['user:bob']\nread = ['**']\n");
  while (EveryoneMayRead(*keeper)) std::this_thread::yield();
}

TEST_F(PolicyKeeperTest, KeepsThePolicyWhenTheFileIsWrongOrGone) {
  const auto keeper = PolicyKeeper::OfFile(path_, logger_).ValueOrDie();
  Write("[roles.a]\nmembers = ['nobody']\n");
  EXPECT_EQ(KindOf(keeper->Reload()), ErrorKind::kInvalidArgument);
  EXPECT_TRUE(EveryoneMayRead(*keeper));
  std::filesystem::remove(path_);
  EXPECT_EQ(KindOf(keeper->Reload()), ErrorKind::kFailedPrecondition);
  EXPECT_TRUE(EveryoneMayRead(*keeper));
}

TEST_F(PolicyKeeperTest, ReloadsAtOnceWhenTold) {
  const auto keeper = PolicyKeeper::OfFile(path_, logger_).ValueOrDie();
  Write("");
  ASSERT_TRUE(keeper->Reload().ok());
  EXPECT_FALSE(EveryoneMayRead(*keeper));
}

TEST_F(PolicyKeeperTest, DoesNotBeginWithAWrongOne) {
  Write("reed = 1\n");
  EXPECT_FALSE(PolicyKeeper::OfFile(path_, logger_).ok());
  EXPECT_FALSE(PolicyKeeper::OfFile(path_ + ".missing", logger_).ok());
  EXPECT_FALSE(PolicyKeeper::OfFile(::testing::TempDir(), logger_).ok());
}

}  // namespace
}  // namespace hangar
