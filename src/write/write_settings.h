#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace parquet {
class WriterProperties;
}

namespace hangar {

/// How a dataset is encoded. The defaults are what uploads get that ask for nothing else.
struct WriteSettings {
  /// "zstd", "snappy", "lz4", "gzip", "brotli" or "none".
  std::string codec = "zstd";
  std::optional<int64_t> level;           ///< Absent: 1 for zstd, else the codec's own default.
  int64_t row_group_rows = 1 << 20;       ///< Rows of a row group at most, 1 to 2^31 - 1.
  int64_t row_group_bytes = 128LL << 20;  ///< Arrow bytes of a row group, about, at most.
  arrow::MemoryPool* pool = nullptr;      ///< nullptr: Arrow's default pool.
};

/// The Parquet properties for the settings, for a file of `columns` Parquet columns. Each column
/// that is open for writing holds a page and, at first, a dictionary: these are smaller the more
/// columns there are, so that a wide table takes no more memory than a narrow one. INVALID_ARGUMENT
/// for a codec or level that does not exist, or numbers out of range.
arrow::Result<std::shared_ptr<parquet::WriterProperties>> MakeWriterProperties(
    const WriteSettings& settings, int columns);

}  // namespace hangar
