#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

namespace hangar {

/// Cuts a batch into slices of about `slice_bytes` (at least one row each) that share its memory.
class BatchSlicer {
 public:
  BatchSlicer(std::shared_ptr<arrow::RecordBatch> batch, int64_t slice_bytes);

  /// The next slice in row order, nullptr after the last.
  std::shared_ptr<arrow::RecordBatch> Next();

 private:
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t rows_per_slice_;
  int64_t next_row_ = 0;
};

}  // namespace hangar
