#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "decode/column_decoder.h"
#include "decode/nested_field.h"

namespace parquet {
class PageReader;
}

// Decodes the column chunks of a nested top-level column (structs, lists and maps of whatever the
// decoder of flat columns decodes) into Arrow arrays, several times as fast as Parquet's own
// reader. What it refuses (other kinds of lists, decimals, lists without their annotation) is for
// that one.
//
// Slots that are null, or whose parent is, are zeros; a validity bitmap is there only where slots
// are null, null counts are exact. Buffers hold at most about 1 / 16 more than their contents.

namespace hangar {

/// Whether MakeNestedColumnDecoder can give the top-level field `node` of a file, of which `leaves`
/// are all columns in their order, as `type`, which is what Arrow's own reader gives for it.
bool CanDecodeNested(const parquet::schema::Node& node, std::span<const LeafColumn> leaves,
                     const std::shared_ptr<arrow::DataType>& type);

/// A decoder of a field that CanDecodeNested accepts. `pages` are those of each leaf's chunk, from
/// the first on; `rows` is the number of rows of their row group. Each Decode gives one array of
/// `type`, or NotImplemented where that would have more than 2 GiB of text or 2^31 - 1 items in
/// lists with offsets of 32 bits. `pool` must outlive the decoder and its arrays, the columns'
/// descriptors the decoder. Statuses: IOError for malformed bytes, columns that disagree on how
/// their rows are nested among them, or whatever reading and decompressing them gives.
arrow::Result<std::unique_ptr<ColumnDecoder>> MakeNestedColumnDecoder(
    std::vector<std::unique_ptr<parquet::PageReader>> pages, const parquet::schema::Node& node,
    std::span<const LeafColumn> leaves, const std::shared_ptr<arrow::DataType>& type, int64_t rows,
    arrow::MemoryPool* pool);

}  // namespace hangar
