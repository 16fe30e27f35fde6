#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar::sync {

enum class SyncDirection { kUp, kDown };

/// What is to be made the same as what: the folder DIR/a/b.parquet is the dataset
/// PREFIX/a/b.parquet.
struct SyncSides {
  SyncDirection direction = SyncDirection::kUp;  ///< kUp: the datasets become as the folder is.
  std::string folder;
  std::string prefix;  ///< Without '/' at its end; empty for all datasets.
};

/// The folder is the side that begins with '.' or '/', which no dataset's name does; what is on the
/// disk does not matter. INVALID_ARGUMENT when none or both do, or the other is no name.
arrow::Result<SyncSides> ParseSyncSides(const std::string& source, const std::string& target);

/// The name of the dataset at `path`, which is relative to the folder.
std::string DatasetAt(const std::string& prefix, const std::string& path);

/// INVALID_ARGUMENT unless `path` can be a dataset's name (docs/protocol.md): then it is also a
/// relative path without "." and ".." that leads nowhere else.
arrow::Status CheckSyncPath(std::string_view path);

/// True for the names that are synchronised.
bool IsParquetName(std::string_view path);

}  // namespace hangar::sync
