#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "catalog/catalog.h"
#include "read/scan_plan.h"

namespace parquet::arrow {
class FileReader;
}

namespace hangar {

/// Decodes the slices of a plan one after the other, in steps of bounded size. One thread at a
/// time. Statuses hold Parquet's own words; they are for the log.
class RowGroupDecoder {
 public:
  /// Batches hold about `decode_bytes`. The decoder reads through the snapshot's own reader.
  static arrow::Result<std::unique_ptr<RowGroupDecoder>> Make(OpenSnapshot snapshot, ScanPlan plan,
                                                              int64_t decode_bytes,
                                                              arrow::MemoryPool* pool);
  ~RowGroupDecoder();

  /// The next batch of the plan's schema, nullptr at the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next();

 private:
  RowGroupDecoder(OpenSnapshot snapshot, ScanPlan plan, int64_t decode_bytes,
                  arrow::MemoryPool* pool);

  arrow::Status OpenFile();
  arrow::Status OpenSlice(const RowGroupSlice& slice);
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> NextDecoded();
  arrow::Status ConvertToPlan(const arrow::RecordBatch& decoded);

  const OpenSnapshot snapshot_;
  const ScanPlan plan_;
  const int64_t decode_bytes_;
  arrow::MemoryPool* const pool_;
  std::vector<int> leaf_columns_;       // Parquet columns of the plan's fields, ascending.
  std::vector<int> position_of_field_;  // In a decoded batch, for each of the plan's fields.
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::deque<std::shared_ptr<arrow::RecordBatch>> converted_;  // Not given yet.
  size_t next_slice_ = 0;
  int64_t skip_rows_ = 0;  // Still to be passed over in the open slice.
  int64_t left_rows_ = 0;  // Still to be given from the open slice.
  int64_t row_bytes_;      // The most that a decoded row was seen, or is known, to take.
};

}  // namespace hangar
