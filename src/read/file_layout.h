#pragma once

#include <cstdint>
#include <vector>

#include "catalog/footer.h"

namespace hangar {

/// How the rows of a stored file are cut for decoding. A segment is a run of rows of one column of
/// one row group: what is decoded at once, and what is cached. The segments of a file's columns
/// begin at the same rows, whichever columns a read asks for. Immutable.
struct FileLayout {
  std::vector<std::vector<int>> leaves_of_fields;  ///< The Parquet columns of each field.
  /// About what a row of each field takes once decoded, at least 1. From the sizes that writers
  /// record, where they do; a dictionary can otherwise hide the real size.
  std::vector<int64_t> row_bytes;
  int64_t segment_rows = 1;  ///< The last segment of a row group has what is left.
};

/// Segments of all fields together take about `segment_bytes`.
FileLayout MakeFileLayout(const Footer& footer, int64_t segment_bytes);

}  // namespace hangar
