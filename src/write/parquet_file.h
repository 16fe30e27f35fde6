#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "encode/encoded_chunk.h"
#include "encode/encoding_choice.h"
#include "store/object_store.h"

namespace parquet {
class SchemaDescriptor;
}

namespace hangar {

/// A Parquet file that grows in staging, row group by row group, out of chunks that were encoded
/// elsewhere: what stands where, the page index and the footer. One thread at a time.
class ParquetFile {
 public:
  /// For a table in its storage schema. `upload_id`, unless empty, is noted in the footer. `staged`
  /// must outlive the file.
  static arrow::Result<std::unique_ptr<ParquetFile>> Make(const arrow::Schema& storage,
                                                          const std::string& upload_id,
                                                          StagedObject* staged);
  ~ParquetFile();

  /// The Parquet columns; lives as long as the file.
  const parquet::SchemaDescriptor& columns() const;

  /// Writes a row group: a chunk for each Parquet column, in their order. Errors of the store come
  /// through unchanged.
  arrow::Status AppendRowGroup(int64_t rows, std::vector<EncodedChunk> chunks);

  /// Writes the page index and the footer. `codecs` are those that every chunk of each Parquet
  /// column was compressed with.
  arrow::Status Finish(const std::vector<ColumnCodec>& codecs);

 private:
  struct RowGroup {
    int64_t rows = 0;
    std::vector<int64_t> offsets;      // Of the chunks, in the file.
    std::vector<EncodedChunk> chunks;  // Without their parts.
  };
  struct Schema;
  class Sink;

  ParquetFile(std::unique_ptr<Schema> schema, StagedObject* staged);
  arrow::Status WriteFooter(const std::vector<ColumnCodec>& codecs);

  const std::unique_ptr<Schema> schema_;
  const std::shared_ptr<Sink> sink_;
  std::vector<RowGroup> row_groups_;
};

}  // namespace hangar
