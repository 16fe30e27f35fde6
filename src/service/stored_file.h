#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "service/dataset_description.h"
#include "service/upload.h"

namespace hangar {

/// Which version of which dataset is wanted as the file that is stored.
struct FileRequest {
  std::string dataset;
  std::optional<std::string> version;   ///< Absent: the current one.
  std::optional<Timestamp> as_of = {};  ///< The one that was current then; not beside `version`.
};

/// One version's Parquet file, byte for byte. It stays readable whatever happens to the dataset.
/// Any thread may call.
class StoredFileReader {
 public:
  virtual ~StoredFileReader() = default;

  virtual const DatasetDescription& description() const = 0;
  int64_t size_bytes() const { return description().bytes; }

  /// Reads exactly `length` bytes at `offset` into `out`, blocking, no faster than the caller's
  /// limit on bytes allows. DATA_LOSS when the file was changed in place by another program.
  virtual arrow::Status ReadAt(int64_t offset, int64_t length, void* out) = 0;

  /// A new file descriptor of the whole file, positioned anywhere, for the system's own ways to
  /// send a file; the caller closes it. nullopt where the bytes are not in a file, or the caller's
  /// rate is limited, so that ReadAt has to be used.
  virtual std::optional<int> DuplicateDescriptor() const = 0;
};

/// An upload of a Parquet file under way, which is stored byte for byte once it was verified. One
/// thread at a time. Destroying it before Commit succeeded undoes it.
class FileUpload {
 public:
  virtual ~FileUpload() = default;
  /// RESOURCE_EXHAUSTED beyond the limit on upload bytes.
  virtual arrow::Status Append(const void* bytes, int64_t length) = 0;
  /// Verifies that it is Parquet that this server serves (INVALID_ARGUMENT when it is not), makes
  /// it durable and visible. When it fails nothing changed.
  virtual arrow::Result<UploadResult> Commit() = 0;
};

}  // namespace hangar
