#include "access/key_source.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"
#include "access/jwt_test_support.h"
#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// What a provider answers, and how often it was asked.
class Provider {
 public:
  FetchKeys Fetch() {
    return [this](const std::atomic<bool>&) -> arrow::Result<std::string> {
      const MutexLock lock(mutex_);
      ++asked_;
      return answer_;
    };
  }
  void Answer(arrow::Result<std::string> answer) {
    const MutexLock lock(mutex_);
    answer_ = std::move(answer);
  }
  int asked() {
    const MutexLock lock(mutex_);
    return asked_;
  }

 private:
  Mutex mutex_;
  arrow::Result<std::string> answer_ HANGAR_GUARDED_BY(mutex_) = MakeError(ErrorKind::kUnavailable,
                                                                           "no answer");
  int asked_ HANGAR_GUARDED_BY(mutex_) = 0;
};

class KeySourceTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(StartCrypto()); }
  std::unique_ptr<KeySource> Make(milliseconds fetch_interval_min, milliseconds kept = hours(24)) {
    return FetchedKeys({.name = "https://login.example.org/keys",
                        .fetch = provider_.Fetch(),
                        .refresh_interval = hours(1),
                        .fetch_interval_min = fetch_interval_min,
                        .kept = kept,
                        .wait_max = std::chrono::seconds(30)},
                       logger_);
  }
  static std::string KeysWithId(const std::string& id) {
    return JwksOf({SigningKey("ES256", id).Jwk()});
  }

  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  Provider provider_;
};

TEST_F(KeySourceTest, TheFirstCallerWaitsForTheFirstFetch) {
  provider_.Answer(KeysWithId("one"));
  const auto source = Make(hours(1));
  ASSERT_OK_AND_ASSIGN(const auto keys, source->Keys());
  EXPECT_EQ(keys->keys.at(0).id(), "one");
  EXPECT_EQ(provider_.asked(), 1);
}

TEST_F(KeySourceTest, AnUnknownKeyBringsNewerOnes) {
  provider_.Answer(KeysWithId("one"));
  const auto source = Make(milliseconds(0));
  ASSERT_OK_AND_ASSIGN(const auto first, source->Keys());
  provider_.Answer(KeysWithId("two"));
  ASSERT_OK_AND_ASSIGN(const auto second, source->NewerKeys(first));
  EXPECT_EQ(second->keys.at(0).id(), "two");
  ASSERT_OK_AND_ASSIGN(const auto now, source->Keys());
  EXPECT_EQ(now, second);
}

TEST_F(KeySourceTest, UnknownKeysDoNotMakeUsHammerTheProvider) {
  provider_.Answer(KeysWithId("one"));
  const auto source = Make(hours(1));
  ASSERT_OK_AND_ASSIGN(const auto keys, source->Keys());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) EXPECT_EQ(source->NewerKeys(keys).ValueOr(nullptr), keys);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(provider_.asked(), 1);
}

TEST_F(KeySourceTest, AProviderThatDoesNotAnswerIsSaidOnceAndAskedSeldom) {
  const auto source = Make(hours(1));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(KindOf(source->Keys().status()), ErrorKind::kUnavailable);
  }
  EXPECT_EQ(provider_.asked(), 1);
  ASSERT_TRUE(Eventually([&] { return !logger_->lines().empty(); }));
  EXPECT_EQ(logger_->lines().size(), 1u);
}

TEST_F(KeySourceTest, KeysStayWhileTheProviderDoesNotAnswerOrAnswersNonsense) {
  provider_.Answer(KeysWithId("one"));
  const auto source = Make(milliseconds(0));
  ASSERT_OK_AND_ASSIGN(const auto keys, source->Keys());
  for (const arrow::Result<std::string>& answer :
       {arrow::Result<std::string>(MakeError(ErrorKind::kUnavailable, "no answer")),
        arrow::Result<std::string>("<html>"), arrow::Result<std::string>("{\"keys\":[]}")}) {
    provider_.Answer(answer);
    ASSERT_OK_AND_ASSIGN(const auto newer, source->NewerKeys(keys));
    EXPECT_EQ(newer, keys);
    ASSERT_OK_AND_ASSIGN(const auto same, source->Keys());
    EXPECT_EQ(same, keys);
  }
}

TEST_F(KeySourceTest, KeysThatCouldNotBeRenewedForTooLongNoLongerCount) {
  provider_.Answer(KeysWithId("one"));
  const auto source = Make(hours(1), /*kept=*/milliseconds(0));
  EXPECT_EQ(KindOf(source->Keys().status()), ErrorKind::kUnavailable);
  EXPECT_EQ(provider_.asked(), 1);
}

TEST_F(KeySourceTest, EndsWhileAFetchRuns) {
  std::atomic<bool> has_begun = false;
  auto source = FetchedKeys(
      {.name = "slow",
       .fetch = [&](const std::atomic<bool>& is_stopping) -> arrow::Result<std::string> {
         has_begun = true;
         while (!is_stopping) std::this_thread::yield();
         return MakeError(ErrorKind::kUnavailable, "stopped");
       }},
      logger_);
  ASSERT_TRUE(Eventually([&] { return has_begun.load(); }));
  source.reset();
  EXPECT_TRUE(logger_->lines().empty());
}

TEST_F(KeySourceTest, AFileIsReadAgainWhenItChanges) {
  const TestFolder folder;
  const std::string path = folder.Write("keys.json", KeysWithId("one"));
  ASSERT_OK_AND_ASSIGN(const auto source, KeysOfFile(path, logger_));
  ASSERT_OK_AND_ASSIGN(auto keys, source->Keys());
  EXPECT_EQ(keys->keys.at(0).id(), "one");
  folder.Write("keys.json", KeysWithId("two"));
  EXPECT_TRUE(
      Eventually([&] { return source->NewerKeys(keys).ValueOrDie()->keys.at(0).id() == "two"; }));
  EXPECT_FALSE(KeysOfFile(folder / "none.json", logger_).ok());
}

}  // namespace
}  // namespace hangar
