#include "read/scan_plan.h"

#include <string>

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

class ScanPlanTest : public ::testing::Test {
 protected:
  // Ten row groups of 100 rows.
  ScanPlanTest() {
    const auto store = MakeMemoryStore();
    StoreNumbered(*store, "a", 1000, {.row_group_rows = 100});
    footer_ = ReadFooter(*store->Open("a").ValueOrDie()).ValueOrDie();
  }

  std::string ErrorOf(const ScanRequest& request) {
    const auto plan = PlanScan(*footer_, request);
    EXPECT_FALSE(plan.ok());
    EXPECT_EQ(KindOf(plan.status()), ErrorKind::kInvalidArgument);
    return plan.status().message();
  }

  std::shared_ptr<const Footer> footer_;
};

TEST_F(ScanPlanTest, TheWholeDatasetIsEveryRowGroupInOrder) {
  const auto plan = PlanScan(*footer_, {});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->rows, 1000);
  ASSERT_EQ(plan->slices.size(), 10u);
  for (int i = 0; i < 10; ++i) {
    const RowGroupSlice& slice = plan->slices[static_cast<size_t>(i)];
    EXPECT_EQ(slice.row_group, i);
    EXPECT_EQ(slice.first_row, 0);
    EXPECT_EQ(slice.rows, 100);
  }
  EXPECT_EQ(plan->schema, footer_->logical_schema);
}

TEST_F(ScanPlanTest, OffsetAndLimitCutTheFirstAndTheLastRowGroup) {
  const auto plan = PlanScan(*footer_, {.offset_rows = 150, .limit_rows = 100});
  ASSERT_TRUE(plan.ok());
  ASSERT_EQ(plan->slices.size(), 2u);
  EXPECT_EQ(plan->slices[0].row_group, 1);
  EXPECT_EQ(plan->slices[0].first_row, 50);
  EXPECT_EQ(plan->slices[0].rows, 50);
  EXPECT_EQ(plan->slices[1].row_group, 2);
  EXPECT_EQ(plan->slices[1].first_row, 0);
  EXPECT_EQ(plan->slices[1].rows, 50);
  EXPECT_EQ(plan->rows, 100);
}

TEST_F(ScanPlanTest, AnOffsetBeyondTheEndGivesNoRows) {
  for (const int64_t offset : {int64_t{1000}, int64_t{1001}, INT64_MAX}) {
    const auto plan = PlanScan(*footer_, {.offset_rows = offset, .limit_rows = INT64_MAX});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->rows, 0);
    EXPECT_TRUE(plan->slices.empty());
  }
}

TEST_F(ScanPlanTest, ColumnsComeInTheOrderAskedFor) {
  const auto plan = PlanScan(*footer_, {.columns = {{"half", "id"}}});
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->fields, (std::vector<int>{2, 0}));
  EXPECT_EQ(plan->schema->field_names(), (std::vector<std::string>{"half", "id"}));
}

TEST_F(ScanPlanTest, RefusesUnknownAndRepeatedColumnsAndNegativeNumbers) {
  EXPECT_THAT(ErrorOf({.columns = {{"idd"}}}), HasSubstr("'idd'; the columns are 'id', 'name'"));
  EXPECT_THAT(ErrorOf({.columns = {{"id", "id"}}}), HasSubstr("'id' is asked for twice"));
  EXPECT_THAT(ErrorOf({.offset_rows = -1}), HasSubstr("offset is -1"));
  EXPECT_THAT(ErrorOf({.limit_rows = -5}), HasSubstr("limit is -5"));
}

TEST_F(ScanPlanTest, PartitionsCoverEveryRowOnceInOrder) {
  for (const int64_t offset : {0, 7, 150, 999, 1000}) {
    for (const int64_t limit : {0, 1, 93, 100, 500, 1000}) {
      const auto plan = PlanScan(*footer_, {.offset_rows = offset, .limit_rows = limit});
      ASSERT_TRUE(plan.ok());
      for (const int64_t count : {1, 2, 3, 7, 10, 11, 10'000}) {
        const auto partitions = Partition(*footer_, *plan, count);
        ASSERT_FALSE(partitions.empty());
        ASSERT_LE(static_cast<int64_t>(partitions.size()), count);
        int64_t next = offset;
        for (const ScanPartition& partition : partitions) {
          if (plan->rows > 0) {
            EXPECT_EQ(partition.offset_rows, next);
            EXPECT_GT(partition.rows, 0);
            EXPECT_GT(partition.bytes, 0);
          }
          next += partition.rows;
        }
        EXPECT_EQ(next - offset, plan->rows);
      }
    }
  }
}

TEST_F(ScanPlanTest, PartitionsAreAboutEqualAndAsManyAsAskedFor) {
  const auto plan = PlanScan(*footer_, {});
  for (const int64_t count : {1, 2, 3, 4, 5, 10}) {
    const auto partitions = Partition(*footer_, *plan, count);
    ASSERT_EQ(static_cast<int64_t>(partitions.size()), count);
    for (const ScanPartition& partition : partitions) {
      EXPECT_LE(partition.rows, 1000 / count + 100);
      EXPECT_GE(partition.rows, 1000 / count - 100);
      EXPECT_EQ(partition.first_row_group, partition.offset_rows / 100);
    }
  }
  EXPECT_EQ(Partition(*footer_, *plan, 11).size(), 10u);
}

}  // namespace
}  // namespace hangar
