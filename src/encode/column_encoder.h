#pragma once

#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "encode/encoded_chunk.h"
#include "encode/encoding_choice.h"

namespace parquet {
class SchemaDescriptor;
}

namespace hangar {

/// One Parquet column of a file, as its encoder is made.
struct LeafPlan {
  const parquet::ColumnDescriptor* column = nullptr;  ///< Outlives the encoder.
  EncodingChoice choice;
  int64_t page_bytes = 1 << 20;            ///< Of a data page, about, before compression.
  int64_t dictionary_bytes_max = 1 << 20;  ///< Of a dictionary page.
};

/// Encodes one field of a table, row group by row group. One thread at a time. May throw what
/// Parquet's own classes throw.
class ColumnEncoder {
 public:
  virtual ~ColumnEncoder() = default;

  /// Adds rows of the open row group. `stored` is valid in full and of the field's storage type.
  virtual arrow::Status Append(const std::shared_ptr<arrow::Array>& stored) = 0;

  /// Ends the row group: a chunk for each of the field's Parquet columns, in their order. At least
  /// a row was appended.
  virtual arrow::Result<std::vector<EncodedChunk>> FinishRowGroup() = 0;
};

/// Whether MakeFlatColumnEncoder encodes the type.
bool IsFlat(const arrow::DataType& storage_type);

/// For a field without nested ones: encodes from Arrow's buffers, without Parquet's level and value
/// writers between them, which take several times as long.
arrow::Result<std::unique_ptr<ColumnEncoder>> MakeFlatColumnEncoder(
    const LeafPlan& plan, const std::shared_ptr<arrow::Field>& field, arrow::MemoryPool* pool);

/// Whether MakeNestedColumnEncoder encodes the type: lists, maps and structs, in one another, of
/// what IsFlat allows.
bool IsNestedOfFlat(const arrow::DataType& storage_type);

/// The same for fields that have nested ones.
arrow::Result<std::unique_ptr<ColumnEncoder>> MakeNestedColumnEncoder(
    const std::vector<LeafPlan>& plans, const std::shared_ptr<arrow::Field>& field,
    arrow::MemoryPool* pool);

/// For every other field: Arrow's own writer, one field at a time.
arrow::Result<std::unique_ptr<ColumnEncoder>> MakeArrowColumnEncoder(
    std::vector<LeafPlan> plans, const std::shared_ptr<arrow::Field>& field,
    arrow::MemoryPool* pool);

}  // namespace hangar
