#include "app/stored_totals.h"

#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/metrics.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

class StoredTotalsTest : public ::testing::Test {
 protected:
  void Put(const std::string& key, const std::string& bytes) {
    auto staged = *store_->Stage({});
    ASSERT_TRUE(staged->Append(bytes.data(), static_cast<int64_t>(bytes.size())).ok());
    ASSERT_TRUE(staged->Seal().ok());
    ASSERT_TRUE(staged->Publish(key, Precondition::None()).ok());
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(StoredTotalsTest, CountsWhatIsThereAndWhatIsKeptOfThePast) {
  Put("a", "123");
  Put("b/c", "4567");
  Put("a", "12345");
  const StoredTotals totals = *CountStored(*store_);
  EXPECT_EQ(totals.files, 2);
  EXPECT_EQ(totals.bytes, 9);
  EXPECT_EQ(totals.history.versions, 1);
  EXPECT_EQ(totals.history.bytes, 3);
}

TEST_F(StoredTotalsTest, IsNotCountedAgainBeforeThePauseIsOver) {
  StoredTotalsWatch watch(store_, logger_, StoredTotals{.files = 7}, std::chrono::hours(1));
  Put("a", "123");
  EXPECT_EQ(watch.Latest()->files, 7);
  EXPECT_EQ(watch.Latest()->files, 7);
}

TEST_F(StoredTotalsTest, AfterThePauseALookHasItCountedAgain) {
  StoredTotalsWatch watch(store_, logger_, StoredTotals{.files = 7}, std::chrono::milliseconds(0));
  Put("a", "123");
  EXPECT_EQ(watch.Latest()->files, 7);
  while (watch.Latest()->files != 1) std::this_thread::yield();
  EXPECT_EQ(watch.Latest()->bytes, 3);
}

TEST_F(StoredTotalsTest, AreCountedAtOnceWhereNobodyHasCountedThem) {
  Put("a", "123");
  Metrics metrics;
  StoredTotalsWatch watch(store_, logger_, std::nullopt, std::chrono::hours(1));
  watch.ShowIn(&metrics);
  while (!watch.Latest()) {
    EXPECT_THAT(metrics.Text(), testing::AnyOf(HasSubstr("\nhangar_datasets Nan\n"),
                                               HasSubstr("\nhangar_datasets 1\n")));
  }
  EXPECT_THAT(metrics.Text(), HasSubstr("\nhangar_datasets 1\n"));
}

TEST_F(StoredTotalsTest, ACountEndsWhenItIsAskedTo) {
  Put("a", "123");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(CountStored(*store_, {}, stop.get_token()).status().IsCancelled());
}

TEST_F(StoredTotalsTest, AreShownAsGauges) {
  Metrics metrics;
  StoredTotalsWatch watch(
      store_, logger_,
      StoredTotals{.files = 7, .bytes = 8, .history = {.versions = 9, .bytes = 10}},
      std::chrono::hours(1));
  watch.ShowIn(&metrics);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("\nhangar_datasets 7\n"));
  EXPECT_THAT(text, HasSubstr("\nhangar_dataset_bytes 8\n"));
  EXPECT_THAT(text, HasSubstr("\nhangar_history_versions 9\n"));
  EXPECT_THAT(text, HasSubstr("\nhangar_history_bytes 10\n"));
}

}  // namespace
}  // namespace hangar
