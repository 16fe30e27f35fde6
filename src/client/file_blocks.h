#pragma once

#include <cstdint>
#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "client/client.h"

// A file as record batches of one binary column, "parquet", each row a block of its bytes.
namespace hangar::client {

/// What is left of `file` in blocks of 1 MiB, one a batch. Without a copy where `file` gives its
/// buffers without one.
std::shared_ptr<arrow::RecordBatchReader> ReadBlocks(std::shared_ptr<arrow::io::InputStream> file);

/// The blocks that the batches hold. DATA_LOSS at the end when they were not `size_bytes` in all.
std::shared_ptr<FileBlocks> MakeFileBlocks(std::shared_ptr<arrow::RecordBatchReader> batches,
                                           int64_t size_bytes);

/// How many bytes the blocks of a batch hold.
int64_t BlockBytes(const arrow::RecordBatch& batch);

/// A batch of so many of the bytes of `batch` from `offset` on, which it has; without a copy.
std::shared_ptr<arrow::RecordBatch> SliceBlocks(const arrow::RecordBatch& batch, int64_t offset,
                                                int64_t length);

/// UNIMPLEMENTED for the schema of something else, as of a server that passed over "format".
arrow::Status CheckIsBlocks(const arrow::Schema& schema);

}  // namespace hangar::client
