#pragma once

#include <cstdint>
#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "client/client.h"

// A file as record batches of one binary column, "parquet", each row a block of its bytes.
namespace hangar::client {

/// What is left of `file`, which has to outlive it, in blocks of 1 MiB, one a batch. Without a copy
/// where `file` gives its buffers without one.
std::shared_ptr<arrow::RecordBatchReader> ReadBlocks(arrow::io::InputStream& file);

/// The blocks that the batches hold. DATA_LOSS at the end when they were not `size_bytes` in all.
std::shared_ptr<FileBlocks> MakeFileBlocks(std::shared_ptr<arrow::RecordBatchReader> batches,
                                           int64_t size_bytes);

/// UNIMPLEMENTED for the schema of something else, as of a server that passed over "format".
arrow::Status CheckIsBlocks(const arrow::Schema& schema);

}  // namespace hangar::client
