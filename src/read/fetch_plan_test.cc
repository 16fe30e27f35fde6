#include "read/fetch_plan.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>

#include "read/column_chunk_pages.h"
#include "read/scan_stream.h"
#include "read/stored_file.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::IsEmpty;

constexpr int64_t kShare = 64 << 20;

class FetchPlanTest : public ::testing::Test {
 protected:
  void Store(int64_t rows, int64_t row_group_rows) {
    StoreNumbered(*store_, "a", rows, {.codec = "none", .row_group_rows = row_group_rows});
    Catalog catalog(store_, logger_, /*footer_cache_bytes=*/16 << 20);
    open_ = catalog.Open(DatasetName::Parse("a").ValueOrDie(), std::nullopt).ValueOrDie();
  }

  FetchPlan Plan(const ScanRequest& request, int64_t share_bytes = kShare) {
    const ObjectInfo& object = open_.snapshot.object;
    const auto plan = PlanScan(*open_.snapshot.footer, request).ValueOrDie();
    return PlanFetch(open_.snapshot.footer,
                     decoded_.LayoutOf(object.version, *open_.snapshot.footer), plan,
                     {.version = HashOfVersion(object.version),
                      .file_bytes = object.size_bytes,
                      .share_bytes = share_bytes},
                     &decoded_);
  }

  ByteRun Chunk(int row_group, int leaf) const {
    const auto& metadata = *open_.snapshot.footer->metadata;
    return RunOf(metadata, *metadata.RowGroup(row_group)->ColumnChunk(leaf),
                 open_.snapshot.object.size_bytes);
  }

  static int64_t BytesOf(const std::vector<FetchUnit>& units) {
    int64_t bytes = 0;
    for (const FetchUnit& unit : units) bytes += unit.length;
    return bytes;
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  SegmentCache decoded_{{.capacity_bytes = 256 << 20}};
  OpenSnapshot open_;
};

TEST_F(FetchPlanTest, HoldsTheChunksOfTheColumnsAndRowGroupsThatAreRead) {
  Store(30'000, 10'000);
  const FetchPlan plan = Plan({.columns = {{"id"}}, .offset_rows = 10'000});
  ASSERT_EQ(plan.sections, 2U);
  for (const int row_group : {1, 2}) {
    const auto units = plan.units_of(static_cast<size_t>(row_group) - 1);
    const ByteRun chunk = Chunk(row_group, 0);
    ASSERT_FALSE(units.empty());
    EXPECT_EQ(units.front().offset, chunk.begin);
    EXPECT_EQ(BytesOf(units), chunk.end - chunk.begin);
    for (const FetchUnit& unit : units) EXPECT_EQ(unit.run, chunk);
  }
}

TEST_F(FetchPlanTest, OfFewRowsHoldsOnlyTheBeginningOfALargeChunk) {
  Store(1'000'000, 1'000'000);
  const auto few = Plan({.columns = {{"half"}}, .limit_rows = 10}).units_of(0);
  EXPECT_EQ(few.size(), 1U);
  EXPECT_GT(Plan({.columns = {{"half"}}}).units_of(0).size(), 10U);
}

TEST_F(FetchPlanTest, LargeChunksTakeTurns) {
  Store(1'000'000, 1'000'000);
  const auto units = Plan({}, /*share_bytes=*/4 << 20).units_of(0);
  const ByteRun first = Chunk(0, 1);
  const ByteRun second = Chunk(0, 2);
  size_t last_of_first = 0;
  size_t first_of_second = units.size();
  for (size_t i = 0; i < units.size(); ++i) {
    if (units[i].run == first) last_of_first = i;
    if (units[i].run == second) first_of_second = std::min(first_of_second, i);
  }
  EXPECT_LT(first_of_second, last_of_first);
}

TEST_F(FetchPlanTest, WhatIsDecodedAlreadyIsNotFetched) {
  Store(30'000, 10'000);
  ReadAheadBudget budget({});
  WorkerPool workers(2);
  const auto plan = PlanScan(*open_.snapshot.footer, {}).ValueOrDie();
  const auto stream = StartScan(
      open_, plan, {}, {.decoded = &decoded_, .read_ahead = &budget, .workers = &workers}, logger_);
  ASSERT_TRUE(stream->ToTable().ok());
  for (size_t section = 0; section < 3; ++section) {
    EXPECT_THAT(Plan({}).units_of(section), IsEmpty());
  }
}

}  // namespace
}  // namespace hangar
