#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>
#include <arrow/util/type_fwd.h>

#include "encode/encoded_chunk.h"

namespace hangar {

/// One data page before it is compressed.
struct DataPage {
  std::span<const uint8_t> levels;        ///< As the page holds them.
  std::shared_ptr<arrow::Buffer> values;  ///< Encoded.
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  int64_t level_count = 0;
  int64_t first_row = 0;  ///< In the row group.
  parquet::EncodedStatistics statistics;
  parquet::SizeStatistics size_statistics;
};

/// Gathers the pages of one column chunk after another: compresses them, checksums them and puts
/// their headers before them. One thread at a time.
class ChunkWriter {
 public:
  /// `codec` null: pages are not compressed, and the buffers that pages come in are kept.
  ChunkWriter(std::unique_ptr<arrow::util::Codec> codec, arrow::MemoryPool* pool);
  ~ChunkWriter();

  /// INVALID_ARGUMENT for a page of 2 GiB or more, which Parquet cannot hold.
  arrow::Status Add(DataPage page);
  arrow::Status AddDictionary(std::shared_ptr<arrow::Buffer> plain, int64_t values);

  /// All that was added since the last time, without what only the column's encoder knows: the
  /// chunk's statistics and whether it fell back.
  EncodedChunk Finish();

 private:
  struct Body {
    std::shared_ptr<arrow::Buffer> first;   // May be null.
    std::shared_ptr<arrow::Buffer> second;  // May be null.
    int64_t uncompressed_bytes = 0;
  };
  arrow::Result<Body> MakeBody(std::span<const uint8_t> levels,
                               std::shared_ptr<arrow::Buffer> values);
  // Returns the bytes that were added.
  arrow::Result<int64_t> Add(Body body, bool is_dictionary, int64_t values,
                             parquet::Encoding::type encoding,
                             std::vector<std::shared_ptr<arrow::Buffer>>* parts);

  const std::unique_ptr<arrow::util::Codec> codec_;
  arrow::MemoryPool* const pool_;
  EncodedChunk chunk_;
  std::vector<std::shared_ptr<arrow::Buffer>> dictionary_parts_;
};

}  // namespace hangar
