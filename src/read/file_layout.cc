#include "read/file_layout.h"

#include <algorithm>
#include <bit>

#include <parquet/metadata.h>
#include <parquet/size_statistics.h>

namespace hangar {
namespace {

// Row groups of one file are alike; a few tell how wide its rows are.
constexpr int kRowGroupsLookedAt = 4;
constexpr int64_t kColumnChunkBytesMax = 1LL << 50;
// More rows at once gain nothing: it is also what Arrow's reader decodes at once by default.
constexpr int64_t kSegmentRowsMax = 64 * 1024;
// The segments of wide tables have at least so many rows, as long as they do not take this many
// times the bytes: below it a column's part of a segment is too small to be worth its bookkeeping.
constexpr int64_t kWideSegmentRows = 4 * 1024;
constexpr int64_t kWideSegmentFactor = 8;

// The Parquet columns of each top-level field: they stand together, in the order of the fields.
std::vector<std::vector<int>> LeavesOfFields(const parquet::SchemaDescriptor& schema) {
  std::vector<std::vector<int>> leaves(static_cast<size_t>(schema.group_node()->field_count()));
  const parquet::schema::Node* root = nullptr;
  size_t field = 0;
  for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
    if (root != nullptr && schema.GetColumnRoot(leaf) != root) ++field;
    root = schema.GetColumnRoot(leaf);
    leaves[field].push_back(leaf);
  }
  return leaves;
}

// What a value takes that is not of any length. One of a fixed length takes that much also where it
// is null: pages can hold nothing but nulls, and be small.
int64_t ValueBytes(const parquet::ColumnDescriptor& column) {
  return std::max({parquet::GetTypeByteSize(column.physical_type()), column.type_length(), 1});
}

// About what a column chunk takes once decoded. A footer can claim any number.
int64_t DecodedBytes(const parquet::ColumnChunkMetaData& chunk,
                     const parquet::ColumnDescriptor& column, int64_t rows) {
  constexpr int64_t kOffsetBytes = 4;
  const int64_t value_bytes = ValueBytes(column);
  const int64_t values =
      std::clamp<int64_t>(std::max(rows, chunk.num_values()), 0,
                          kColumnChunkBytesMax / std::max<int64_t>(value_bytes, 64));
  const auto sizes = chunk.size_statistics();
  int64_t bytes = 0;
  if (sizes != nullptr && sizes->unencoded_byte_array_data_bytes) {
    bytes = std::min(*sizes->unencoded_byte_array_data_bytes, kColumnChunkBytesMax) +
            values * kOffsetBytes;
  } else {
    bytes = std::max(chunk.total_uncompressed_size(), values * value_bytes);
  }
  return std::clamp<int64_t>(bytes, 0, kColumnChunkBytesMax);
}

// For each field, at the most over the row groups that are looked at.
std::vector<int64_t> EstimateRowBytes(const Footer& footer,
                                      const std::vector<std::vector<int>>& leaves_of_fields) {
  std::vector<int64_t> row_bytes(leaves_of_fields.size(), 1);
  for (int i = 0, seen = 0; i < footer.row_groups && seen < kRowGroupsLookedAt; ++i) {
    const auto row_group = footer.metadata->RowGroup(i);
    const int64_t rows = row_group->num_rows();
    if (rows == 0) continue;
    ++seen;
    for (size_t field = 0; field < row_bytes.size(); ++field) {
      int64_t bytes = 0;
      for (const int leaf : leaves_of_fields[field]) {
        bytes = std::min(bytes + DecodedBytes(*row_group->ColumnChunk(leaf),
                                              *footer.metadata->schema()->Column(leaf), rows),
                         kColumnChunkBytesMax);
      }
      row_bytes[field] = std::max(row_bytes[field], bytes / rows);
    }
  }
  return row_bytes;
}

// A power of two: batches cut from segments then begin at whole bytes of validity.
int64_t PowerOfTwoRows(int64_t bytes, int64_t row_bytes) {
  const auto rows = static_cast<uint64_t>(std::max<int64_t>(bytes / row_bytes, 1));
  return static_cast<int64_t>(std::bit_floor(rows));
}

int64_t SegmentRows(const std::vector<int64_t>& row_bytes, int64_t segment_bytes) {
  int64_t bytes = 1;
  for (const int64_t field_bytes : row_bytes) {
    bytes = std::min(bytes + field_bytes, kColumnChunkBytesMax);
  }
  const int64_t rows = PowerOfTwoRows(segment_bytes, bytes);
  const int64_t wide_rows =
      std::min(PowerOfTwoRows(segment_bytes * kWideSegmentFactor, bytes), kWideSegmentRows);
  return std::min(std::max(rows, wide_rows), kSegmentRowsMax);
}

}  // namespace

FileLayout MakeFileLayout(const Footer& footer, int64_t segment_bytes) {
  FileLayout layout;
  layout.leaves_of_fields = LeavesOfFields(*footer.metadata->schema());
  layout.row_bytes = EstimateRowBytes(footer, layout.leaves_of_fields);
  layout.segment_rows = SegmentRows(layout.row_bytes, segment_bytes);
  return layout;
}

}  // namespace hangar
