#include "history/history_keeper.h"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "store/memory_store.h"
#include "store/test_support.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using std::chrono::nanoseconds;

class HistoryKeeperTest : public ::testing::Test {
 protected:
  void PutTwice(const std::string& key) {
    PutBytes(*store_, key, "first").ValueOrDie();
    PutBytes(*store_, key, "second").ValueOrDie();
  }

  std::unique_ptr<HistoryKeeper> Keeper(const RetentionPolicy& policy) {
    return std::make_unique<HistoryKeeper>(store_, std::make_shared<RecordingLogger>(), policy);
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
};

TEST_F(HistoryKeeperTest, KeepsWhatThePolicyKeeps) {
  PutTwice("a");
  ExpectOk(store_->Delete("a", Precondition::None()));
  const auto swept = Keeper({.ticket_ttl = nanoseconds(0)})->Sweep().ValueOrDie();
  EXPECT_EQ(swept.purged.versions, 0);
  EXPECT_EQ(swept.kept.versions, 2);
  EXPECT_EQ(swept.kept.bytes, 11);
  EXPECT_EQ(CountRetired(*store_).ValueOrDie().bytes, 11);
}

TEST_F(HistoryKeeperTest, PurgesWhatItDoesNot) {
  PutTwice("a");
  PutTwice("b/c");
  const auto keeper = Keeper({.ticket_ttl = nanoseconds(0), .versions = 0});
  const auto swept = keeper->Sweep().ValueOrDie();
  EXPECT_EQ(swept.purged.versions, 2);
  EXPECT_EQ(swept.purged.bytes, 10);
  EXPECT_EQ(swept.kept.versions, 0);
  EXPECT_TRUE(store_->ListRetired("a").ValueOrDie().empty());
  EXPECT_EQ(GetBytes(*store_, "a").ValueOrDie(), "second");
}

TEST_F(HistoryKeeperTest, MakesRoomOfAllThatNoTicketNames) {
  PutTwice("a");
  PutTwice("b");
  const RetiredObject held = store_->ListRetired("a").ValueOrDie()[0];
  ExpectOk(store_->HoldRetired("a", held.object.version, Now() + std::chrono::hours(1)));
  const auto swept = Keeper({.ticket_ttl = nanoseconds(0)})->MakeRoom().ValueOrDie();
  EXPECT_EQ(swept.purged.versions, 1);
  EXPECT_EQ(swept.kept.versions, 1);
  EXPECT_TRUE(store_->ListRetired("b").ValueOrDie().empty());
}

TEST_F(HistoryKeeperTest, PurgesByItselfOnceTicketsHaveExpired) {
  const auto keeper = Keeper({.ticket_ttl = std::chrono::milliseconds(1), .versions = 0});
  keeper->Start();
  PutTwice("a");
  keeper->NoteRetired();
  while (!store_->ListRetired("a").ValueOrDie().empty()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST_F(HistoryKeeperTest, TellsWhichVersionsAreGoneForGood) {
  PutTwice("a");
  const std::string replaced = store_->ListRetired("a").ValueOrDie()[0].object.version;
  const RetentionPolicy nothing{.ticket_ttl = nanoseconds(0), .versions = 0};
  std::vector<std::string> forgotten;
  HistoryKeeper keeper(store_, std::make_shared<RecordingLogger>(), nothing,
                       [&](const std::string& version) { forgotten.push_back(version); });
  ASSERT_TRUE(keeper.Sweep().ok());
  EXPECT_EQ(forgotten, std::vector<std::string>{replaced});
}

TEST_F(HistoryKeeperTest, DoesNotForgetAVersionThatMerelyHasAnotherName) {
  PutBytes(*store_, "a", "first").ValueOrDie();
  ASSERT_TRUE(store_->Rename("a", "b", Precondition::None(), Precondition::None()).ok());
  HistoryKeeper keeper(store_, std::make_shared<RecordingLogger>(),
                       {.ticket_ttl = nanoseconds(0), .versions = 0, .time = nanoseconds(0)},
                       [&](const std::string& version) { ADD_FAILURE() << version; });
  ASSERT_TRUE(keeper.Sweep().ok());
  EXPECT_TRUE(store_->ListRetired("a").ValueOrDie().empty());
}

TEST_F(HistoryKeeperTest, StopsAtOnceWhileItWaits) {
  const auto keeper = Keeper({});
  keeper->Start();
}

}  // namespace
}  // namespace hangar
