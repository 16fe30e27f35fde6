#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "flight/ticket.h"
#include "service/stored_file.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

// A Parquet file as Flight carries it: batches of one column of bytes, which joined are the file.
// So neither end decodes anything, and what comes out is what went in.

/// So many bytes of a file are in one row, but for its last.
inline constexpr int64_t kFileBlockBytes = 1 << 20;

/// Of the stream that the server sends: the column "parquet", binary, and `hangar:format` =
/// "parquet" as metadata.
std::shared_ptr<arrow::Schema> FileStreamSchema();

/// The bytes of `range`, in order, a row of up to kFileBlockBytes a batch. INVALID_ARGUMENT for a
/// range that is not within the file.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StreamFile(
    std::unique_ptr<StoredFileReader> file, const FileRange& range);

/// INVALID_ARGUMENT unless the schema is one column of binary or large_binary.
arrow::Status CheckFileStreamSchema(const arrow::Schema& schema);

/// Adds the bytes of a batch of such a schema. INVALID_ARGUMENT for nulls and malformed batches.
arrow::Status AppendFileBytes(const arrow::RecordBatch& batch, FileUpload& upload);

}  // namespace hangar
