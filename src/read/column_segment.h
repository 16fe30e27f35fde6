#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <arrow/type_fwd.h>

namespace hangar {

/// Names one column chunk of one version of a dataset.
struct ColumnChunkKey {
  std::array<uint64_t, 2> version{};  ///< A hash of the version; see `HashOfVersion`.
  int32_t row_group = 0;
  int32_t field = 0;  ///< Index of the top-level field in the file's schema.

  bool operator==(const ColumnChunkKey&) const = default;
};

/// Names one segment of a column chunk, see `read/file_layout.h`.
struct ColumnSegmentKey {
  ColumnChunkKey chunk;
  int64_t segment = 0;  ///< Counted from the row group's first.

  bool operator==(const ColumnSegmentKey&) const = default;
};

struct ColumnKeyHash {
  size_t operator()(const ColumnChunkKey& key) const {
    const auto place = static_cast<uint64_t>(static_cast<uint32_t>(key.row_group)) << 32 |
                       static_cast<uint32_t>(key.field);
    return key.version[0] ^ (place * 0x9E3779B97F4A7C15ULL);
  }
  size_t operator()(const ColumnSegmentKey& key) const {
    return (*this)(key.chunk) + static_cast<uint64_t>(key.segment) * 0xC2B2AE3D27D4EB4FULL;
  }
};

/// A run of rows of one column, decoded, in the column's logical type. Immutable.
struct ColumnSegment {
  arrow::ArrayVector chunks;  ///< Nearly always one; more where a dictionary changes.
  int64_t bytes = 0;          ///< Of memory that it takes.
};

}  // namespace hangar
