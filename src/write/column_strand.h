#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "encode/column_encoder.h"
#include "encode/encoded_chunk.h"
#include "write/write_settings.h"

namespace hangar {

class StorageMapping;

/// What a step adds to one column: the column of some batches or slices of them.
struct ColumnStep {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::vector<int64_t> batch_numbers;  ///< In the upload, from 1 on; of each array.
  int64_t rows = 0;
  int64_t row_group_rows = 0;  ///< How many rows row groups are expected to have.
};

/// What happens to one column of an upload, one step after the other: its values are checked,
/// turned into their stored form and encoded. How is chosen from the first step. One thread at a
/// time. May throw what Parquet's own classes throw.
class ColumnStrand {
 public:
  /// `leaves` are the Parquet columns of the field, which outlive the strand, with their settings.
  static arrow::Result<std::unique_ptr<ColumnStrand>> Make(
      const std::shared_ptr<arrow::Field>& logical,
      std::vector<const parquet::ColumnDescriptor*> leaves, std::vector<LeafSettings> settings,
      arrow::MemoryPool* pool);
  ~ColumnStrand();

  /// INVALID_ARGUMENT, naming the batch and the column, for values that do not fit their type or
  /// cannot be stored.
  arrow::Status Append(const ColumnStep& step);

  arrow::Result<std::vector<EncodedChunk>> EndRowGroup();

  /// What the Parquet columns are compressed with.
  std::vector<ColumnCodec> codecs() const;

 private:
  ColumnStrand(std::shared_ptr<arrow::Field> logical, std::shared_ptr<const StorageMapping> mapping,
               std::vector<const parquet::ColumnDescriptor*> leaves,
               std::vector<LeafSettings> settings, arrow::MemoryPool* pool);

  arrow::Result<std::shared_ptr<arrow::Array>> ToStorage(const std::shared_ptr<arrow::Array>& array,
                                                         int64_t batch_number) const;
  arrow::Status MakeEncoder(const arrow::ArrayVector& stored, const ColumnStep& step);

  const std::shared_ptr<arrow::Field> logical_;
  const std::shared_ptr<arrow::Schema> logical_schema_;  // Of this field alone.
  const std::shared_ptr<const StorageMapping> mapping_;  // Likewise.
  const std::vector<const parquet::ColumnDescriptor*> leaves_;
  const std::vector<LeafSettings> settings_;
  const bool needs_alignment_;
  arrow::MemoryPool* const pool_;
  std::vector<ColumnCodec> codecs_;
  std::unique_ptr<ColumnEncoder> encoder_;  // From the first step on.
};

}  // namespace hangar
