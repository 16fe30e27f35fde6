#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "store/object_store.h"

namespace parquet {
class FileMetaData;
class ReaderProperties;
}  // namespace parquet

namespace hangar {

class StoredSchemas;

/// What the end of a stored Parquet file says about it. Immutable, shared between readers.
struct Footer {
  std::shared_ptr<parquet::FileMetaData> metadata;
  // See StoredSchema.
  std::shared_ptr<arrow::Schema> logical_schema;
  std::shared_ptr<arrow::Schema> read_schema;
  std::shared_ptr<const std::string> ipc_schema;
  std::string upload_id;  ///< See kUploadIdKey; empty when the file has none.
  int64_t rows = 0;
  int row_groups = 0;
  /// Bytes of the footer behind its end, which nobody reads. Writers leave none.
  int64_t unread_bytes = 0;
  /// About how much memory this holds.
  int64_t memory_bytes = 0;
};

/// Reads and checks the footer: two small reads at most, or one for footers up to 8 KiB. What its
/// schema comes to is shared through `schemas` with the files that have the same.
/// DATA_LOSS, with a sentence that names the object, when the bytes are not a Parquet file that can
/// be served. Errors of the store come through unchanged.
arrow::Result<std::shared_ptr<const Footer>> ReadFooter(ObjectReader& reader,
                                                        StoredSchemas& schemas);
/// As above, sharing with no one.
arrow::Result<std::shared_ptr<const Footer>> ReadFooter(ObjectReader& reader);

/// The Parquet properties that every stored file is read with: page checksums verified, limits on
/// what a malformed file can make the decoder allocate.
parquet::ReaderProperties StoredFileProperties(arrow::MemoryPool* pool);

}  // namespace hangar
