#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"

namespace parquet {
class FileMetaData;
}

namespace hangar {

/// What the schema of a stored file comes to. Immutable.
struct StoredSchema {
  /// What clients see, see `schema/storage_mapping.h`.
  std::shared_ptr<arrow::Schema> logical_schema;
  /// What Parquet's reader gives, field by field; `ToLogical` makes the logical columns of it.
  std::shared_ptr<arrow::Schema> read_schema;
  /// The logical schema as an encapsulated IPC message.
  std::shared_ptr<const std::string> ipc_schema;
};

/// The schemas of the files that were met last. Datasets come in families of one schema: files of
/// equal columns and key-value metadata share one, which is worked out once and held once.
/// Thread-safe.
class StoredSchemas {
 public:
  struct Read {
    std::shared_ptr<parquet::FileMetaData> footer;  ///< As `ReadableFooter` gives it.
    std::shared_ptr<const StoredSchema> schema;
  };

  /// The schema of a footer, shared with an equal one where that is still known. Errors as
  /// `ReadableFooter` and `MakeReadMapping`.
  arrow::Result<Read> Of(std::shared_ptr<parquet::FileMetaData> footer) HANGAR_EXCLUDES(mutex_);

 private:
  struct Known {
    size_t hash = 0;
    std::shared_ptr<parquet::FileMetaData> example;  // Without its row groups.
    std::shared_ptr<const StoredSchema> schema;
  };

  std::shared_ptr<const StoredSchema> Find(const parquet::FileMetaData& footer, size_t hash)
      HANGAR_EXCLUDES(mutex_);
  void Keep(Known known) HANGAR_EXCLUDES(mutex_);

  Mutex mutex_;
  std::list<Known> known_ HANGAR_GUARDED_BY(mutex_);  // The one that was used last comes first.
};

}  // namespace hangar
