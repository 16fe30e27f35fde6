#pragma once

#include <memory>

#include <arrow/type_fwd.h>

#include "decode/column_decoder.h"

namespace hangar {

/// A decoder of what Arrow's own Parquet reader gives, for the types that have no decoder of our
/// own. `batches` have one column, the chunk's, from its first row on; `file` is what they read and
/// lives as long as the decoder.
std::unique_ptr<ColumnDecoder> MakeArrowColumnDecoder(
    std::shared_ptr<const void> file, std::unique_ptr<arrow::RecordBatchReader> batches);

}  // namespace hangar
