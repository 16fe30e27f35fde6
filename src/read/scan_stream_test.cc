#include "read/scan_stream.h"

#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>

#include "base/error.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

struct Faults {
  std::atomic<bool> failing = false;  ///< All reads fail.
  std::atomic<int> reads = 0;
  std::atomic<int> damaged_from = 0;  ///< The reads of these numbers bring a byte that is wrong.
  std::atomic<int> damaged_to = 0;
  std::atomic<bool> is_remote = false;
  std::atomic<int> discards = 0;
};

/// Reads an object with faults.
class FaultyReader final : public ObjectReader {
 public:
  FaultyReader(std::shared_ptr<ObjectReader> reader, Faults* faults)
      : reader_(std::move(reader)), faults_(faults) {}

  const ObjectInfo& info() const override { return reader_->info(); }
  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    if (faults_->failing) return MakeError(ErrorKind::kUnavailable, "the disk does not answer");
    auto status = reader_->ReadAt(offset, length, out);
    const int number = faults_->reads++;
    if (number >= faults_->damaged_from && number < faults_->damaged_to) {
      static_cast<char*>(out)[length / 2] ^= 1;
    }
    return status;
  }
  bool DiscardReadBytes() override {
    ++faults_->discards;
    return faults_->is_remote;
  }

 private:
  const std::shared_ptr<ObjectReader> reader_;
  Faults* const faults_;
};

/// The addresses of the first column's values, batch by batch.
std::vector<const void*> AddressesOf(arrow::RecordBatchReader& stream) {
  std::vector<const void*> addresses;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (stream.ReadNext(&batch).ok() && batch != nullptr) {
    const arrow::ArrayData& ids = *batch->column_data(0);
    addresses.push_back(ids.GetValues<int64_t>(1));
  }
  return addresses;
}

struct TestOptions {
  int64_t batch_bytes = 1 << 20;
  int64_t read_ahead_bytes = 16 << 20;
  arrow::MemoryPool* pool = nullptr;
  bool fetches = false;
};

class ScanStreamTest : public ::testing::Test {
 protected:
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Start(const std::string& name,
                                                                 const ScanRequest& request,
                                                                 const TestOptions& options = {},
                                                                 SegmentCache* cache = nullptr,
                                                                 WorkerPool* workers = nullptr) {
    Catalog catalog(store_, logger_, /*footer_cache_bytes=*/16 << 20);
    ARROW_ASSIGN_OR_RAISE(auto open,
                          catalog.Open(DatasetName::Parse(name).ValueOrDie(), std::nullopt));
    ARROW_ASSIGN_OR_RAISE(auto plan, PlanScan(*open.snapshot.footer, request));
    open.reader = std::make_shared<FaultyReader>(open.reader, &faults_);
    MutexLock lock(budgets_mutex_);
    ReadAheadBudget& budget =
        budgets_.emplace_back(ReadAheadBudget::Options{.read_bytes = options.read_ahead_bytes});
    return StartScan(std::move(open), std::move(plan),
                     {.batch_bytes = options.batch_bytes, .pool = options.pool},
                     {.decoded = cache != nullptr ? cache : &no_cache_,
                      .read_ahead = &budget,
                      .workers = workers != nullptr ? workers : &workers_,
                      .fetcher = options.fetches ? &fetcher_ : nullptr},
                     logger_);
  }

  void ExpectRows(arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> stream, int64_t offset,
                  int64_t rows) {
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto table = (*stream)->ToTable();
    ASSERT_TRUE(table.ok()) << table.status();
    ASSERT_EQ((*table)->num_rows(), rows);
    const auto expected = NumberedBatch(offset, rows);
    EXPECT_TRUE((*table)->Equals(*arrow::Table::FromRecordBatches({expected}).ValueOrDie()));
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  Faults faults_;
  SegmentCache no_cache_{{.capacity_bytes = 0, .segment_bytes = 4096}};
  SegmentCache cache_{{.capacity_bytes = 64 << 20, .segment_bytes = 4096}};
  Mutex budgets_mutex_;
  std::deque<ReadAheadBudget> budgets_ HANGAR_GUARDED_BY(budgets_mutex_);
  RangeFetcher fetcher_{{.threads = 3, .ahead = {.all_bytes = 4 << 20, .read_bytes = 1 << 20}}};
  WorkerPool workers_{3};
};

TEST_F(ScanStreamTest, GivesExactlyTheRowsAskedForWhateverTheOptions) {
  constexpr int64_t kRows = 10'000;
  StoreNumbered(*store_, "a", kRows, {.row_group_rows = 1'500});
  std::mt19937 random(20261122);
  std::vector<std::unique_ptr<SegmentCache>> caches;
  for (const int64_t capacity_bytes : {0, 100'000, 100 << 20}) {
    for (const int64_t segment_bytes : {1, 3'000, 50'000, 10 << 20}) {
      caches.push_back(std::make_unique<SegmentCache>(
          SegmentCache::Options{.capacity_bytes = capacity_bytes, .segment_bytes = segment_bytes}));
    }
  }
  for (int i = 0; i < 300; ++i) {
    const auto offset = static_cast<int64_t>(random() % (kRows + 500));
    const auto limit = static_cast<int64_t>(random() % (kRows + 500));
    const TestOptions options{.batch_bytes = 1 << (random() % 20),
                              .read_ahead_bytes = 1 << (random() % 24),
                              .fetches = random() % 2 == 0};
    const auto stream =
        Start("a", {.columns = {{"name", "id"}}, .offset_rows = offset, .limit_rows = limit},
              options, caches[random() % caches.size()].get());
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
  const auto stream = Start("a", {}, {.read_ahead_bytes = 1}).ValueOrDie();
  StoreNumbered(*store_, "a", 3);
  ASSERT_TRUE(store_->Delete("a", Precondition::None()).ok());
  EXPECT_EQ(stream->ToTable().ValueOrDie()->num_rows(), 50'000);
}

TEST_F(ScanStreamTest, CanBeLeftInTheMiddle) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 1'000});
  for (int batches = 0; batches < 5; ++batches) {
    const auto stream = Start("a", {}, {.read_ahead_bytes = 1}).ValueOrDie();
    std::shared_ptr<arrow::RecordBatch> batch;
    for (int i = 0; i < batches; ++i) ASSERT_TRUE(stream->ReadNext(&batch).ok());
  }
}

TEST_F(ScanStreamTest, ASecondReadSharesTheMemoryOfWhatTheFirstDecoded) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 10'000});
  const auto first = AddressesOf(**Start("a", {}, {}, &cache_));
  faults_.failing = true;  // Nothing is read for the second one.
  const auto second = AddressesOf(**Start("a", {}, {}, &cache_));
  EXPECT_GT(first.size(), 10u);
  EXPECT_EQ(first, second);
  faults_.failing = false;
  EXPECT_NE(first, AddressesOf(**Start("a", {})));
}

TEST_F(ScanStreamTest, ANewVersionIsNeverReadFromTheOldOnesCache) {
  StoreNumbered(*store_, "a", 1'000);
  ExpectRows(Start("a", {}, {}, &cache_), 0, 1'000);
  StoreNumbered(*store_, "a", 500);
  ExpectRows(Start("a", {}, {}, &cache_), 0, 500);
}

TEST_F(ScanStreamTest, ReadersOfTheSameColdDatasetDecodeItOnce) {
  StoreNumbered(*store_, "a", 200'000, {.row_group_rows = 30'000});
  for (const int threads : {1, 4}) {
    SegmentCache cache({.capacity_bytes = 256 << 20, .segment_bytes = 4096});
    WorkerPool workers(threads);
    std::vector<std::vector<const void*>> addresses(5);
    {
      std::vector<std::jthread> readers;
      for (auto& of_reader : addresses) {
        readers.emplace_back([&] {
          const auto stream = Start("a", {}, {.read_ahead_bytes = 64 << 10}, &cache, &workers);
          of_reader = AddressesOf(**stream);
        });
      }
    }
    for (const auto& of_reader : addresses) EXPECT_EQ(of_reader, addresses[0]);
  }
}

TEST_F(ScanStreamTest, ReadersWithACacheThatIsFarTooSmallGetTheirRows) {
  StoreNumbered(*store_, "a", 100'000, {.row_group_rows = 20'000});
  SegmentCache cache({.capacity_bytes = 200'000, .segment_bytes = 4096});
  std::vector<std::jthread> readers;
  for (int64_t i = 0; i < 5; ++i) {
    readers.emplace_back([this, &cache, i] {
      const int64_t offset = i * 7'001;
      ExpectRows(Start("a", {.offset_rows = offset}, {.read_ahead_bytes = 1 << i * 4}, &cache),
                 offset, 100'000 - offset);
    });
  }
  readers.clear();
  EXPECT_LE(cache.charged_bytes(), 200'000);
}

TEST_F(ScanStreamTest, TheNextReadTriesAgainWhatFailed) {
  StoreNumbered(*store_, "a", 10'000);
  faults_.failing = true;
  const auto stream = Start("a", {}, {}, &cache_).ValueOrDie();
  EXPECT_FALSE(stream->ToTable().ok());
  faults_.failing = false;
  ExpectRows(Start("a", {}, {}, &cache_), 0, 10'000);
}

TEST_F(ScanStreamTest, AnErrorComesAfterAllRowsBeforeIt) {
  StoreNumbered(*store_, "a", 20'000, {.codec = "none", .row_group_rows = 1'000});
  std::string bytes = LoadBytes(*store_, "a");
  Catalog catalog(store_, logger_, /*footer_cache_bytes=*/16 << 20);
  const auto snapshot =
      catalog.Describe(DatasetName::Parse("a").ValueOrDie(), std::nullopt).ValueOrDie();
  const auto chunk = snapshot.footer->metadata->RowGroup(15)->ColumnChunk(2);
  const int64_t begin =
      chunk->has_dictionary_page() ? chunk->dictionary_page_offset() : chunk->data_page_offset();
  const int64_t last_of_chunk = begin + chunk->total_compressed_size() - 1;
  bytes[static_cast<size_t>(last_of_chunk)] ^= 1;
  StoreBytes(*store_, "damaged", bytes);
  for (const int64_t read_ahead_bytes : {1, 100'000, 100'000'000}) {
    const auto stream =
        Start("damaged", {}, {.read_ahead_bytes = read_ahead_bytes}, &cache_).ValueOrDie();
    int64_t rows = 0;
    std::shared_ptr<arrow::RecordBatch> batch;
    while (stream->ReadNext(&batch).ok()) {
      ASSERT_NE(batch, nullptr) << "the damage was not seen";
      rows += batch->num_rows();
    }
    EXPECT_EQ(rows, 15'000);
  }
}

TEST_F(ScanStreamTest, WhatWasDamagedOnItsWayIsReadAgain) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 10'000});
  faults_.is_remote = true;
  for (const bool fetches : {false, true}) {
    faults_.reads = 0;
    ExpectRows(Start("a", {}, {.fetches = fetches}), 0, 50'000);
    const int reads = faults_.reads;
    for (int damaged = 0; damaged < reads; ++damaged) {
      faults_.reads = 0;
      faults_.discards = 0;
      faults_.damaged_from = damaged;
      faults_.damaged_to = damaged + 1;
      ExpectRows(Start("a", {}, {.fetches = fetches}), 0, 50'000);
      EXPECT_GE(faults_.discards, 1) << damaged;
    }
    faults_.damaged_to = 0;
  }
}

TEST_F(ScanStreamTest, WhatIsDamagedWhereItLiesIsSaidToBe) {
  StoreNumbered(*store_, "a", 50'000, {.row_group_rows = 10'000});
  for (const bool is_remote : {false, true}) {
    for (const bool fetches : {false, true}) {
      faults_.is_remote = is_remote;
      faults_.damaged_to = 1'000'000;
      const auto table = (*Start("a", {}, {.fetches = fetches}))->ToTable();
      EXPECT_EQ(KindOf(table.status()), ErrorKind::kDataLoss) << table.status();
    }
  }
}

TEST_F(ScanStreamTest, WhereMemoryRunsOutTheCacheGivesWay) {
  StoreNumbered(*store_, "a", 1'000'000, {.row_group_rows = 100'000});
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), /*bytes_allocated_limit=*/8 << 20);
  SegmentCache cache({.capacity_bytes = 1 << 30, .segment_bytes = 4096});
  const auto stream = Start("a", {}, {.read_ahead_bytes = 1, .pool = &pool}, &cache).ValueOrDie();
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  arrow::Status status;
  while ((status = stream->ReadNext(&batch)).ok() && batch != nullptr) rows += batch->num_rows();
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(rows, 1'000'000);
  batch.reset();
  cache.Clear();
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
