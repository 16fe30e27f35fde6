#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "decode/column_values.h"

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
}  // namespace parquet

namespace hangar {

/// Whether MakeColumnValues can give the values of this column chunk as `type`, an extension type
/// included, wherever in its schema the column stands.
bool CanDecodeValues(const parquet::ColumnDescriptor& column,
                     const parquet::ColumnChunkMetaData& chunk, const arrow::DataType& type);

/// What decodes the values of a chunk that CanDecodeValues accepts. `pool` must outlive it.
arrow::Result<std::unique_ptr<ColumnValues>> MakeColumnValues(
    const parquet::ColumnDescriptor& column, const parquet::ColumnChunkMetaData& chunk,
    const arrow::DataType& type, arrow::MemoryPool* pool);

}  // namespace hangar
