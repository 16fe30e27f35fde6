#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

namespace hangar {

/// Cuts a batch into slices of about a number of bytes (at least one row each) that share its
/// memory.
class BatchSlicer {
 public:
  /// The batch takes about `batch_bytes`, which are evenly spread over its rows.
  BatchSlicer(std::shared_ptr<arrow::RecordBatch> batch, int64_t batch_bytes);

  /// The next slice in row order, of about `slice_bytes`, up to half as much again; nullptr after
  /// the last.
  std::shared_ptr<arrow::RecordBatch> Next(int64_t slice_bytes);

 private:
  int64_t RowsOfNext(int64_t slice_bytes) const;

  std::shared_ptr<arrow::RecordBatch> batch_;
  double row_bytes_;
  int64_t next_row_ = 0;
};

}  // namespace hangar
