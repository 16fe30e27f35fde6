#include "read/scan_stream.h"

#include <memory>
#include <random>
#include <string>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

class ScanStreamTest : public ::testing::Test {
 protected:
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Start(const std::string& name,
                                                                 const ScanRequest& request,
                                                                 const ScanOptions& options = {}) {
    Catalog catalog(store_, logger_, /*footer_cache_bytes=*/16 << 20);
    ARROW_ASSIGN_OR_RAISE(auto open,
                          catalog.Open(DatasetName::Parse(name).ValueOrDie(), std::nullopt));
    ARROW_ASSIGN_OR_RAISE(auto plan, PlanScan(*open.snapshot.footer, request));
    return StartScan(std::move(open), std::move(plan), options, &workers_, logger_);
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  WorkerPool workers_{3};
};

TEST_F(ScanStreamTest, GivesExactlyTheRowsAskedForWhateverTheOptions) {
  constexpr int64_t kRows = 10'000;
  StoreNumbered(*store_, "a", kRows, {.row_group_rows = 1'500});
  std::mt19937 random(20261122);
  for (int i = 0; i < 150; ++i) {
    const auto offset = static_cast<int64_t>(random() % (kRows + 500));
    const auto limit = static_cast<int64_t>(random() % (kRows + 500));
    const ScanOptions options{.batch_bytes = 1 << (random() % 20),
                              .decode_bytes = 1 << (8 + random() % 16),
                              .read_ahead_bytes = 1 << (random() % 24)};
    const auto stream = Start(
        "a", {.columns = {{"name", "id"}}, .offset_rows = offset, .limit_rows = limit}, options);
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto table = (*stream)->ToTable().ValueOrDie();
    const int64_t rows = std::clamp<int64_t>(kRows - offset, 0, limit);
    ASSERT_EQ(table->num_rows(), rows) << "offset " << offset << " limit " << limit;
    const auto expected = NumberedBatch(offset, rows)->SelectColumns({1, 0}).ValueOrDie();
    ASSERT_TRUE(table->Equals(*arrow::Table::FromRecordBatches({expected}).ValueOrDie()));
  }
}

TEST_F(ScanStreamTest, NoColumnsGiveTheRowsWithoutValues) {
  StoreNumbered(*store_, "a", 1'000, {.row_group_rows = 300});
  const auto stream = Start("a", {.columns = {{}}, .offset_rows = 250}).ValueOrDie();
  EXPECT_EQ(stream->schema()->num_fields(), 0);
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (stream->ReadNext(&batch).ok() && batch != nullptr) rows += batch->num_rows();
  EXPECT_EQ(rows, 750);
}

TEST_F(ScanStreamTest, ReadsItsOwnVersionWhateverBecomesOfTheDataset) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 1'000});
  const auto stream = Start("a", {}, {.decode_bytes = 4096, .read_ahead_bytes = 1}).ValueOrDie();
  StoreNumbered(*store_, "a", 3);
  ASSERT_TRUE(store_->Delete("a", Precondition::None()).ok());
  EXPECT_EQ(stream->ToTable().ValueOrDie()->num_rows(), 50'000);
}

TEST_F(ScanStreamTest, CanBeLeftInTheMiddle) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 1'000});
  for (int batches = 0; batches < 5; ++batches) {
    const auto stream = Start("a", {}, {.decode_bytes = 4096, .read_ahead_bytes = 1}).ValueOrDie();
    std::shared_ptr<arrow::RecordBatch> batch;
    for (int i = 0; i < batches; ++i) ASSERT_TRUE(stream->ReadNext(&batch).ok());
  }
}

TEST_F(ScanStreamTest, ADamagedPageEndsTheReadWithAnErrorAndNoWrongRow) {
  StoreNumbered(*store_, "whole", 20'000, {.row_group_rows = 2'000});
  const std::string whole = LoadBytes(*store_, "whole");
  const auto expected = NumberedBatch(0, 20'000);
  std::mt19937 random(20261122);
  int failed = 0;
  for (int i = 0; i < 200; ++i) {
    std::string damaged = whole;
    damaged[4 + random() % (whole.size() - 4)] ^= static_cast<char>(1 << random() % 8);
    StoreBytes(*store_, "damaged", damaged);
    const auto stream = Start("damaged", {});
    if (!stream.ok()) {
      EXPECT_EQ(KindOf(stream.status()), ErrorKind::kDataLoss) << stream.status();
      ++failed;
      continue;
    }
    int64_t row = 0;
    std::shared_ptr<arrow::RecordBatch> batch;
    arrow::Status status;
    while ((status = (*stream)->ReadNext(&batch)).ok() && batch != nullptr) {
      // What was in the footer's own bytes can rename a column; values are never wrong.
      for (int column = 0; column < batch->num_columns() && batch->num_columns() == 3; ++column) {
        ASSERT_TRUE(
            batch->column(column)->Equals(expected->column(column)->Slice(row, batch->num_rows())));
      }
      row += batch->num_rows();
    }
    if (!status.ok()) {
      ++failed;
      EXPECT_EQ(KindOf(status), ErrorKind::kDataLoss) << status;
      // The error stays: it never turns into a plain end.
      EXPECT_FALSE((*stream)->ReadNext(&batch).ok());
    } else {
      EXPECT_EQ(row, 20'000);
    }
  }
  EXPECT_GT(failed, 100);
}

}  // namespace
}  // namespace hangar
