#include "client/batch_slices.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>

namespace hangar::client {
namespace {

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::shared_ptr<arrow::Array>& column) {
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("x", column->type())}),
                                  column->length(), {column});
}

std::shared_ptr<arrow::Array> Zeros(int64_t rows) {
  return *arrow::MakeArrayFromScalar(arrow::Int64Scalar(0), rows);
}

TEST(SliceRows, KeepsASmallBatchWhole) {
  EXPECT_EQ(SliceRows(*BatchOf(Zeros(100)), 1000), 100);
  EXPECT_EQ(SliceRows(*BatchOf(Zeros(0)), 1000), 1);
}

TEST(SliceRows, CutsABigBatchToAboutTheLimit) {
  EXPECT_EQ(SliceRows(*BatchOf(Zeros(1000)), 800), 100);
}

TEST(SliceRows, CountsASliceByWhatItRefersTo) {
  EXPECT_EQ(SliceRows(*BatchOf(Zeros(1000)->Slice(0, 50)), 800), 50);
}

TEST(SliceRows, NeverIsLessThanOneRow) { EXPECT_EQ(SliceRows(*BatchOf(Zeros(10)), 1), 1); }

TEST(SliceRows, LeavesTheDictionaryOut) {
  const auto indices = *arrow::MakeArrayFromScalar(arrow::Int8Scalar(0), 100);
  const auto column = *arrow::DictionaryArray::FromArrays(indices, Zeros(100'000));
  EXPECT_EQ(SliceRows(*BatchOf(column), 1000), 100);
}

}  // namespace
}  // namespace hangar::client
