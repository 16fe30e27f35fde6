#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include "encode/column_encoder.h"

namespace hangar {

class ChunkWriter;

/// The rows of a page of about `page_bytes` whose rows take `row_bytes` each: a power of two, so
/// that pages of different columns end at the same rows wherever the shorter ones can, and readers
/// skip in all of them at once.
int64_t PageRows(int64_t page_bytes, int64_t row_bytes);

/// The values of a finished page.
struct EncodedValues {
  std::shared_ptr<arrow::Buffer> bytes;
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  parquet::EncodedStatistics bounds;  ///< The least and the greatest value only.
  int64_t string_bytes = 0;           ///< Of BYTE_ARRAY, without lengths.
};

/// The values, without nulls, of a column's open page, and the dictionary of its open chunk. One
/// thread at a time. May throw what Parquet's encoders throw.
class PageValues {
 public:
  virtual ~PageValues() = default;

  /// Bytes that a row takes in PLAIN, judged by `array`.
  virtual int64_t RowBytes(const arrow::ArrayData& array) const = 0;

  /// How many rows from `begin` on, at most `rows`, one page can take without being far larger than
  /// pages are; at least 1.
  virtual int64_t RowsThatFit(const arrow::ArrayData& array, int64_t begin, int64_t rows) const = 0;

  /// Whether the open page is full by its bytes.
  virtual bool IsFull() const = 0;

  /// Adds the valid ones of rows [begin, begin + rows), of which `nulls` are null.
  virtual arrow::Status Append(const arrow::ArrayData& array, int64_t begin, int64_t rows,
                               int64_t nulls) = 0;

  virtual arrow::Result<EncodedValues> FinishPage() = 0;

  /// What a chunk ends with.
  struct ChunkEnd {
    parquet::EncodedStatistics bounds;
    bool fell_back = false;
  };
  /// Adds the dictionary page, if there is one, and begins the next chunk.
  virtual arrow::Result<ChunkEnd> FinishChunk(ChunkWriter* chunk) = 0;
};

/// For the types that IsFlat allows.
std::unique_ptr<PageValues> MakePageValues(const LeafPlan& plan, const arrow::DataType& type,
                                           arrow::MemoryPool* pool);

}  // namespace hangar
