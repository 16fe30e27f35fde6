#pragma once

#include <memory>

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "cli/file_type.h"

namespace hangar::cli {

/// Writes record batches of one schema as a file, holding no more than a row group of them. One
/// thread at a time. A file without a successful Close is not whole.
class BatchFileWriter {
 public:
  /// Text formats take every type (see text/value_text.h); Parquet and Arrow what they can hold,
  /// else INVALID_ARGUMENT. Parquet: zstd, row groups of up to 1 Mi rows or 128 MiB, Arrow schema
  /// kept. CSV: a header, "" for an empty string and nothing for null. `out` is not closed.
  static arrow::Result<std::unique_ptr<BatchFileWriter>> Open(
      const FileType& type, const std::shared_ptr<arrow::Schema>& schema,
      std::shared_ptr<arrow::io::OutputStream> out);

  virtual ~BatchFileWriter() = default;
  virtual arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual arrow::Status Close() = 0;
};

}  // namespace hangar::cli
