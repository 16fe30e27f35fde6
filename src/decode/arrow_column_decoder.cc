#include "decode/arrow_column_decoder.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <parquet/exception.h>

namespace hangar {
namespace {

class ArrowColumnDecoder final : public ColumnDecoder {
 public:
  ArrowColumnDecoder(std::shared_ptr<const void> file,
                     std::unique_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}

  arrow::Status Skip(int64_t rows) override {
    while (rows > 0) {
      ARROW_ASSIGN_OR_RAISE(const auto array, Take(rows));
      rows -= array->length();
    }
    return arrow::Status::OK();
  }

  arrow::Result<arrow::ArrayVector> Decode(int64_t rows) override {
    arrow::ArrayVector arrays;
    while (rows > 0) {
      ARROW_ASSIGN_OR_RAISE(auto array, Take(rows));
      rows -= array->length();
      arrays.push_back(std::move(array));
    }
    return arrays;
  }

 private:
  // What is left of the array in hand, or the next one, cut to `rows_max`.
  arrow::Result<std::shared_ptr<arrow::Array>> Take(int64_t rows_max) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    while (in_hand_ == nullptr || in_hand_->length() == 0) {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      if (batch == nullptr) {
        return arrow::Status::IOError("a row group holds fewer rows than the footer says");
      }
      in_hand_ = batch->column(0);
    }
    END_PARQUET_CATCH_EXCEPTIONS
    if (in_hand_->length() <= rows_max) return std::exchange(in_hand_, nullptr);
    auto taken = in_hand_->Slice(0, rows_max);
    in_hand_ = in_hand_->Slice(rows_max);
    return taken;
  }

  const std::shared_ptr<const void> file_;
  const std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::Array> in_hand_;
};

}  // namespace

std::unique_ptr<ColumnDecoder> MakeArrowColumnDecoder(
    std::shared_ptr<const void> file, std::unique_ptr<arrow::RecordBatchReader> batches) {
  return std::make_unique<ArrowColumnDecoder>(std::move(file), std::move(batches));
}

}  // namespace hangar
