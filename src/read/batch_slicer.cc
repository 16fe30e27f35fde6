#include "read/batch_slicer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <arrow/record_batch.h>

namespace hangar {
namespace {

// A slice that begins at a multiple of this needs no copy of its validity bits on the wire, whose
// buffers begin at whole bytes, and stays aligned to 64 bytes for one-byte values and up.
constexpr int64_t kSliceRowsMultiple = 64;

}  // namespace

BatchSlicer::BatchSlicer(std::shared_ptr<arrow::RecordBatch> batch, int64_t batch_bytes)
    : batch_(std::move(batch)),
      row_bytes_(static_cast<double>(batch_bytes) /
                 static_cast<double>(std::max<int64_t>(batch_->num_rows(), 1))) {}

// What is left is cut evenly, so that no tiny slice comes last. A batch that is only a little
// larger than a slice stays whole: cutting nested columns costs copies of offsets and validity on
// the wire.
int64_t BatchSlicer::RowsOfNext(int64_t slice_bytes) const {
  const int64_t rows = batch_->num_rows() - next_row_;
  const double bytes = row_bytes_ * static_cast<double>(rows);
  const auto slices = static_cast<int64_t>(
      std::round(bytes / static_cast<double>(std::max<int64_t>(slice_bytes, 1))));
  if (slices <= 1) return rows;
  const int64_t slice_rows = std::max<int64_t>((rows + slices - 1) / slices, 1);
  return slice_rows > kSliceRowsMultiple ? slice_rows - slice_rows % kSliceRowsMultiple
                                         : slice_rows;
}

std::shared_ptr<arrow::RecordBatch> BatchSlicer::Next(int64_t slice_bytes) {
  if (next_row_ >= batch_->num_rows()) return nullptr;
  const int64_t rows = RowsOfNext(slice_bytes);
  auto slice = rows == batch_->num_rows() ? batch_ : batch_->Slice(next_row_, rows);
  next_row_ += rows;
  return slice;
}

}  // namespace hangar
