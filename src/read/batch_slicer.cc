#include "read/batch_slicer.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

namespace hangar {
namespace {

// A slice that begins at a multiple of this needs no copy of its validity bits on the wire, whose
// buffers begin at whole bytes, and stays aligned to 64 bytes for one-byte values and up.
constexpr int64_t kSliceRowsMultiple = 64;

}  // namespace

BatchSlicer::BatchSlicer(std::shared_ptr<arrow::RecordBatch> batch, int64_t slice_bytes)
    : batch_(std::move(batch)) {
  const int64_t rows = std::max<int64_t>(batch_->num_rows(), 1);
  const int64_t bytes = std::max<int64_t>(arrow::util::TotalBufferSize(*batch_), 1);
  rows_per_slice_ = rows;
  if (bytes > slice_bytes) {
    const int64_t slices = (bytes + slice_bytes - 1) / slice_bytes;
    rows_per_slice_ = (rows + slices - 1) / slices;
    if (rows_per_slice_ > kSliceRowsMultiple) {
      rows_per_slice_ -= rows_per_slice_ % kSliceRowsMultiple;
    }
  }
}

std::shared_ptr<arrow::RecordBatch> BatchSlicer::Next() {
  if (next_row_ >= batch_->num_rows()) return nullptr;
  const int64_t rows = std::min(rows_per_slice_, batch_->num_rows() - next_row_);
  auto slice = rows == batch_->num_rows() ? batch_ : batch_->Slice(next_row_, rows);
  next_row_ += rows;
  return slice;
}

}  // namespace hangar
