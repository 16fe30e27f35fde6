#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "encode/encoding_choice.h"

namespace parquet {
class SchemaDescriptor;
}

namespace hangar {

class MemoryBudget;
class WorkerPool;

/// How a dataset is encoded. The defaults are what uploads get that ask for nothing else.
struct WriteSettings {
  /// "zstd", "snappy", "lz4", "gzip", "brotli" or "none" for every column. Absent: chosen for each
  /// column, or zstd when there is a level.
  std::optional<std::string> codec;
  std::optional<int64_t> level;           ///< Absent: 1 for zstd, else the codec's own default.
  int64_t row_group_rows = 1 << 20;       ///< Rows of a row group at most, 1 to 2^31 - 1.
  int64_t row_group_bytes = 128LL << 20;  ///< Arrow bytes of a row group, about, at most.
  int64_t file_bytes_max = 1LL << 40;     ///< Of the file; one that grows beyond is refused.
  /// Column to ColumnEncoding's name. A column is a field of the table, and then all that is nested
  /// in it, or a Parquet column as a path with dots. Absent: chosen for each column.
  std::map<std::string, std::string> encodings;
  std::string upload_id;               ///< Noted in the file; empty: nothing is.
  int64_t waiting_bytes = 32LL << 20;  ///< What is received and not encoded yet, at most.
  WorkerPool* workers = nullptr;       ///< Encode. nullptr: the thread that appends does.
  MemoryBudget* budget = nullptr;      ///< What waits counts against it. nullptr: no limit.
  arrow::MemoryPool* pool = nullptr;   ///< nullptr: Arrow's default pool.
};

/// INVALID_ARGUMENT for a codec or level that does not exist, or numbers out of range.
arrow::Status CheckSettings(const WriteSettings& settings);

/// What the settings say of one Parquet column.
struct LeafSettings {
  EncodingWish wish;
  int64_t page_bytes = 1 << 20;  ///< Of a data page, about.
};

/// For each Parquet column. Each column that is open for writing holds a page and perhaps a
/// dictionary: these are smaller the more columns there are, so that a wide table takes no more
/// memory than a narrow one. INVALID_ARGUMENT as CheckSettings, and for encodings of columns that
/// are not there or of types that do not have them.
arrow::Result<std::vector<LeafSettings>> SettingsOfLeaves(const WriteSettings& settings,
                                                          const parquet::SchemaDescriptor& columns);

}  // namespace hangar
