#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/clock.h"
#include "base/log.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

class Catalog;
class ObjectStore;
class ReadAheadBudget;
class SegmentCache;
class WorkerPool;

/// Who asks for a use case, and whether they still wait for it.
struct Caller {
  std::string peer;                    ///< The network address, for the log.
  std::function<bool()> is_cancelled;  ///< Empty: never.
};

/// What a door says of one dataset.
struct DatasetDescription {
  std::string name;
  std::string version;
  Timestamp modified{};
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
  int row_groups = 0;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<const std::string> ipc_schema;  ///< `schema` as an encapsulated IPC message.
};

/// Which datasets a listing gives, in ascending byte order of their names.
struct ListRequest {
  std::string prefix;            ///< Names that begin with it.
  std::string glob;              ///< Names that match it, see `GlobMatches`; empty: all.
  std::string after;             ///< Names greater than it: the last one of the page before.
  std::optional<int64_t> limit;  ///< At most so many; absent: all.
};

/// Which part of which dataset a read gives.
struct ReadRequest {
  std::string dataset;
  std::optional<std::string> version;               ///< Absent: the current one.
  std::optional<std::vector<std::string>> columns;  ///< Absent: all.
  int64_t offset_rows = 0;
  std::optional<int64_t> limit_rows;  ///< Absent: all.
};

/// A consecutive part of a read's rows.
struct ReadPartition {
  int64_t offset_rows = 0;  ///< In the dataset's rows.
  int64_t rows = 0;
  int64_t bytes = 0;  ///< About what it holds at rest, all columns counted.
  int row_groups = 0;
};

/// A read that was looked at but not started.
struct ReadDescription {
  DatasetDescription dataset;             ///< The whole dataset, with its whole schema.
  std::shared_ptr<arrow::Schema> schema;  ///< Of what is read.
  int64_t rows = 0;                       ///< Of what is read.
  std::vector<ReadPartition> partitions;  ///< Cover what is read, in order; never empty.
};

enum class UploadMode {
  kOverwrite,  ///< Replace what is there.
  kCreate,     ///< ALREADY_EXISTS when something is there.
};

struct UploadRequest {
  std::string dataset;
  UploadMode mode = UploadMode::kOverwrite;
  std::optional<std::string> if_version;  ///< FAILED_PRECONDITION unless this is the current one.
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
  int64_t bytes = 0;  ///< At rest.
};

/// Datasets one after the other. One thread at a time.
class DatasetLister {
 public:
  virtual ~DatasetLister() = default;
  /// nullopt at the end.
  virtual arrow::Result<std::optional<DatasetDescription>> Next() = 0;
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

/// The use cases, free of any protocol: every door calls these and decides nothing itself. Names
/// and numbers come as the client gave them and are checked here. Errors carry a kind and a
/// sentence fit for the client; anything else is a defect. Thread-safe; calls may block on the
/// store.
class DatasetService {
 public:
  struct Options {
    int64_t footer_cache_bytes = 256LL << 20;
    int64_t cache_bytes = 0;        ///< Of decoded columns, kept for the next reads.
    int64_t batch_bytes = 1 << 20;  ///< About the size of the batches that reads give.
  };

  DatasetService(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                 const Options& options);
  ~DatasetService();

  /// The lister must not outlive the service.
  arrow::Result<std::unique_ptr<DatasetLister>> List(const Caller& caller,
                                                     const ListRequest& request);

  arrow::Result<DatasetDescription> Describe(const Caller& caller, const std::string& dataset);

  /// Looks at a read and cuts it into up to `partitions_max` parts along row groups.
  arrow::Result<ReadDescription> DescribeRead(const Caller& caller, const ReadRequest& request,
                                              int64_t partitions_max);

  /// Starts a read. The stream is bounded in memory, stays with its version and ends with
  /// CANCELLED when the caller is gone. It must not outlive the service.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const Caller& caller,
                                                                const ReadRequest& request);

  /// Starts an upload of batches of `schema`. What can be refused is refused here, before any
  /// batch was sent. The upload must not outlive the service.
  arrow::Result<std::unique_ptr<Upload>> BeginUpload(const Caller& caller,
                                                     const UploadRequest& request,
                                                     std::shared_ptr<arrow::Schema> schema);

  /// NOT_FOUND when it is not there; with `if_version`, FAILED_PRECONDITION when it moved on.
  arrow::Status Drop(const Caller& caller, const std::string& dataset,
                     const std::optional<std::string>& if_version);

  struct RenameRequest {
    std::string from;
    std::string to;
    std::optional<std::string> if_version;  ///< Of `from`.
    bool overwrite = false;                 ///< False: ALREADY_EXISTS when `to` is there.
  };
  struct RenameResult {
    std::string dataset;
    std::string version;
  };
  arrow::Result<RenameResult> Rename(const Caller& caller, const RenameRequest& request);

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Logger> logger_;
  const Options options_;
  const std::unique_ptr<Catalog> catalog_;
  const std::unique_ptr<SegmentCache> decoded_;
  const std::unique_ptr<ReadAheadBudget> read_ahead_;
  const std::unique_ptr<WorkerPool> workers_;  // Decode and encode.
};

}  // namespace hangar
