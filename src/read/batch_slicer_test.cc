#include "read/batch_slicer.h"

#include <vector>

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <gtest/gtest.h>

#include "tests/support/test_data.h"

namespace hangar {
namespace {

std::vector<std::shared_ptr<arrow::RecordBatch>> SlicesOf(std::shared_ptr<arrow::RecordBatch> batch,
                                                          int64_t slice_bytes) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> slices;
  const int64_t batch_bytes = arrow::util::TotalBufferSize(*batch);
  BatchSlicer slicer(std::move(batch), batch_bytes);
  while (auto slice = slicer.Next(slice_bytes)) slices.push_back(std::move(slice));
  return slices;
}

TEST(BatchSlicer, ASmallBatchStaysWhole) {
  const auto batch = NumberedBatch(0, 10);
  const auto slices = SlicesOf(batch, 1 << 20);
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_EQ(slices[0], batch);
}

TEST(BatchSlicer, SlicesCoverTheBatchInOrderAndShareItsMemory) {
  const auto batch = NumberedBatch(0, 100'000);
  const auto slices = SlicesOf(batch, 64 << 10);
  EXPECT_GT(slices.size(), 20u);
  int64_t row = 0;
  for (const auto& slice : slices) {
    EXPECT_TRUE(slice->Equals(*batch->Slice(row, slice->num_rows())));
    EXPECT_EQ(slice->column_data(0)->buffers[1], batch->column_data(0)->buffers[1]);
    EXPECT_EQ(row % 64, 0);
    row += slice->num_rows();
  }
  EXPECT_EQ(row, batch->num_rows());
}

TEST(BatchSlicer, EachSliceMayHaveASizeOfItsOwn) {
  const auto batch = NumberedBatch(0, 100'000);
  const int64_t bytes = arrow::util::TotalBufferSize(*batch);
  BatchSlicer slicer(batch, bytes);
  const auto first = slicer.Next(bytes / 100);
  const auto second = slicer.Next(bytes / 10);
  const auto rest = slicer.Next(bytes);
  EXPECT_NEAR(static_cast<double>(first->num_rows()), 1'000, 64);
  EXPECT_NEAR(static_cast<double>(second->num_rows()), 10'000, 256);
  EXPECT_EQ(first->num_rows() + second->num_rows() + rest->num_rows(), 100'000);
  EXPECT_EQ(slicer.Next(bytes), nullptr);
}

TEST(BatchSlicer, EveryLimitGivesAtLeastOneRowASlice) {
  EXPECT_EQ(SlicesOf(NumberedBatch(0, 10), 1).size(), 10u);
  EXPECT_TRUE(SlicesOf(NumberedBatch(0, 0), 1).empty());
}

}  // namespace
}  // namespace hangar
