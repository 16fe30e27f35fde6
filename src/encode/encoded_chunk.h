#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <arrow/buffer.h>
#include <parquet/size_statistics.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

namespace hangar {

/// One data page of a column chunk, as the page index describes it.
struct EncodedPage {
  int64_t offset = 0;      ///< In the chunk, in bytes, from its first data page on.
  int32_t size_bytes = 0;  ///< With its header.
  int64_t first_row = 0;   ///< In the row group.
  parquet::EncodedStatistics statistics;
  parquet::SizeStatistics size_statistics;
};

/// A column chunk that is encoded in full, and all that the footer and the page index say of it.
struct EncodedChunk {
  /// The chunk's bytes in order: the dictionary page, if there is one, then the data pages.
  std::vector<std::shared_ptr<arrow::Buffer>> parts;
  std::vector<EncodedPage> pages;
  int64_t dictionary_bytes = 0;    ///< Of the dictionary page with its header; 0: there is none.
  int64_t compressed_bytes = 0;    ///< Of all parts.
  int64_t uncompressed_bytes = 0;  ///< With page headers.
  int64_t values = 0;              ///< Levels: nulls and empty lists count.
  bool fell_back = false;          ///< The dictionary became too large half way.
  std::map<parquet::Encoding::type, int32_t> dictionary_encodings;  ///< Pages of each.
  std::map<parquet::Encoding::type, int32_t> data_encodings;
  parquet::EncodedStatistics statistics;
  parquet::SizeStatistics size_statistics;
};

}  // namespace hangar
