#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "read/range_fetcher.h"
#include "store/object_store.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
class FileMetaData;
class PageReader;
}  // namespace parquet

namespace hangar {

/// Where a column chunk's bytes stand in a file of `file_bytes`.
ByteRun RunOf(const parquet::FileMetaData& file, const parquet::ColumnChunkMetaData& chunk,
              int64_t file_bytes);

/// The pages of a column chunk of an open file, decompressed, with their headers and checksums
/// checked; one page at a time is in memory. `file` and `chunk` are not used after the call; the
/// column has to live as long as the pages. Throws what Parquet throws.
std::unique_ptr<parquet::PageReader> OpenColumnChunkPages(std::shared_ptr<ObjectReader> reader,
                                                          const parquet::FileMetaData& file,
                                                          const parquet::ColumnChunkMetaData& chunk,
                                                          const parquet::ColumnDescriptor& column,
                                                          arrow::MemoryPool* pool);

}  // namespace hangar
