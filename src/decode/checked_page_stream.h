#pragma once

#include <memory>

#include <arrow/io/type_fwd.h>

namespace parquet {
class ColumnChunkMetaData;
}

namespace hangar {

/// A column chunk's bytes for parquet::PageReader, which fail to be read where a page's header says
/// what cannot be: that it is larger, decompressed, than its codec and the footer allow. PageReader
/// makes room for as much as a header says, up to 2 GiB, before it decompresses anything.
///
/// They also fail where a page does not have the checksum that its header holds. In place of
/// PageReader's own check (to be turned off in its properties), which takes several times as long.
/// Pages without a checksum are taken as they are.
///
/// `metadata` is the chunk's, and is not used after the call. One thread at a time.
std::unique_ptr<arrow::io::InputStream> CheckPages(std::shared_ptr<arrow::io::InputStream> chunk,
                                                   const parquet::ColumnChunkMetaData& metadata);

}  // namespace hangar
