#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "decode/column_decoder.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
class PageReader;
}  // namespace parquet

// Decodes column chunks of plain top-level columns (numbers, times, booleans, byte arrays) straight
// into the buffers of Arrow arrays: several times as fast as Parquet's own reader, which takes
// definition levels apart one by one and fills arrays through builders. What it refuses (decimals,
// dictionaries as such, rare types) is for that reader, and nested columns for their own decoder.
//
// Null rows are zeros, a validity bitmap is there only where rows are null, null counts are exact.
// Buffers hold at most about 1 / 16 more than their contents.

namespace hangar {

/// Whether MakeFlatColumnDecoder can give this column chunk of a row group as `type`, which is what
/// Arrow's own reader gives for it.
bool CanDecodeFlat(const parquet::ColumnDescriptor& column,
                   const parquet::ColumnChunkMetaData& chunk, const arrow::DataType& type);

/// A decoder of a chunk that CanDecodeFlat accepts. `pages` are the chunk's, from the first on;
/// `rows` is the number of rows of its row group. Arrays are of `type`, an extension type included.
/// `column` and `pool` must outlive the decoder, `pool` the arrays as well. Statuses: IOError for
/// malformed bytes, or whatever reading and decompressing them gives.
arrow::Result<std::unique_ptr<ColumnDecoder>> MakeFlatColumnDecoder(
    std::unique_ptr<parquet::PageReader> pages, const parquet::ColumnDescriptor& column,
    const parquet::ColumnChunkMetaData& chunk, std::shared_ptr<arrow::DataType> type, int64_t rows,
    arrow::MemoryPool* pool);

}  // namespace hangar
