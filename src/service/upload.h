#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace hangar {

/// How much one upload may hold.
struct UploadLimits {
  int64_t bytes = 1LL << 40;            ///< Of Arrow data, and of the file that it becomes.
  int64_t columns = 10'000;             ///< At the top of its schema.
  int64_t metadata_bytes = 16LL << 20;  ///< Of the schema's names and metadata.
};

enum class UploadMode {
  kOverwrite,  ///< Replace what is there.
  kCreate,     ///< ALREADY_EXISTS when something is there.
};

struct UploadRequest {
  std::string dataset;
  UploadMode mode = UploadMode::kOverwrite;
  std::optional<std::string> if_version;  ///< FAILED_PRECONDITION unless this is the current one.
  /// The client's own name for this upload. When one of this id was committed to this dataset, what
  /// it stored is the result and nothing is stored.
  std::optional<std::string> upload_id;
  /// How many rows will come; when other than so many came, INVALID_ARGUMENT and nothing is stored.
  std::optional<int64_t> rows;
  // How the file is encoded; absent: as `write/write_settings.h` says.
  std::optional<std::string> codec;
  std::optional<int64_t> level;
  std::optional<int64_t> row_group_rows;
  std::map<std::string, std::string> encodings;  ///< Column to encoding.
};

struct UploadResult {
  std::string dataset;
  std::string version;
  int64_t rows = 0;
  int64_t bytes = 0;      ///< At rest.
  bool repeated = false;  ///< An earlier upload of the same id had stored it.
};

/// An upload under way. One thread at a time. Destroying it before Commit succeeded undoes it.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  /// Makes the upload durable and visible, unless the caller is gone. When it fails nothing
  /// changed.
  virtual arrow::Result<UploadResult> Commit() = 0;
};

}  // namespace hangar
