#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/clock.h"
#include "base/log.h"
#include "history/retention.h"
#include "service/dataset_check.h"
#include "service/dataset_description.h"
#include "service/stored_file.h"
#include "service/upload.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

class AccessGate;
class AuditLog;
class CallerRates;
class Catalog;
class CommittedUploads;
class DiskCache;
class HistoryKeeper;
struct HistorySweepResult;
struct OpenSnapshot;
struct ScanRequest;
struct UploadResources;
class MemoryBudget;
class Metrics;
class ObjectStore;
class PolicyKeeper;
class RangeFetcher;
class ReadAheadBudget;
class SegmentCache;
class VersionHistory;
class WorkMemory;
class WorkerPool;

/// Which datasets a listing gives, in ascending byte order of their names.
struct ListRequest {
  std::string prefix;            ///< Names that begin with it.
  std::string glob;              ///< Names that match it, see `GlobMatches`; empty: all.
  std::string after;             ///< Names greater than it: the last one of the page before.
  std::optional<int64_t> limit;  ///< At most so many; absent: all.
};

/// INVALID_ARGUMENT for a negative limit, or a glob that is longer than any name needs.
arrow::Status CheckListRequest(const ListRequest& request);

/// Which part of which dataset a read gives.
struct ReadRequest {
  std::string dataset;
  std::optional<std::string> version;  ///< Absent: the current one.
  std::optional<Timestamp> as_of;      ///< The one that was current then; not beside `version`.
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
  int first_row_group = 0;
};

/// A read that was looked at but not started.
struct ReadDescription {
  DatasetDescription dataset;             ///< The whole dataset, with its whole schema.
  std::shared_ptr<arrow::Schema> schema;  ///< Of what is read.
  int64_t rows = 0;                       ///< Of what is read.
  std::vector<ReadPartition> partitions;  ///< Cover what is read, in order; never empty.
  Timestamp expires{};  ///< Until then this version can be read, whatever happens to the dataset.
};

/// The use cases, free of any protocol: every door calls these and decides nothing itself. Names
/// and numbers come as the client gave them and are checked here, and so is what the caller may do:
/// where they may not, UNAUTHENTICATED or PERMISSION_DENIED, whether there is such a dataset or
/// not, and columns that are hidden from them are as if they were not there. Errors carry a kind
/// and a sentence fit for the client; anything else is a defect. Thread-safe; calls may block on
/// the store.
class DatasetService {
 public:
  struct Options {
    RetentionPolicy retention;
    int64_t footer_cache_bytes = 256LL << 20;
    int64_t cache_bytes = 0;        ///< Of decoded columns, kept for the next reads.
    int64_t batch_bytes = 1 << 20;  ///< About the size of the batches that reads give.
    UploadLimits uploads = {};
    /// What all memory counts against: reads and uploads are let in as they fit into it, and what
    /// is cached gives way to them. Must outlive the service. nullptr: there is no limit.
    MemoryBudget* memory = nullptr;
    std::chrono::milliseconds queue_timeout{30'000};  ///< How long they wait for their turn.
    std::shared_ptr<PolicyKeeper> policy = nullptr;   ///< nullptr: everybody may do everything.
    std::shared_ptr<AuditLog> audit = nullptr;        ///< nullptr: nothing is noted.
    int64_t caller_bytes_per_second = 0;              ///< Each way; 0: no limit.
    /// Of what is fetched from a remote store; nullptr: none.
    std::shared_ptr<DiskCache> disk_cache = nullptr;
    /// Show caches, memory and waits. They have to stop asking before the service goes. nullptr:
    /// nobody looks.
    Metrics* metrics = nullptr;
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

  /// Prolongs the time for which a version, which the request has to name, can be read, and returns
  /// its end. NOT_FOUND when it is gone already.
  arrow::Result<Timestamp> RenewRead(const Caller& caller, const ReadRequest& request);

  /// Starts a read. The stream is bounded in memory, stays with its version and ends with
  /// CANCELLED when the caller is gone. It must not outlive the service.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const Caller& caller,
                                                                const ReadRequest& request);

  /// Starts an upload of batches of `schema`. What can be refused is refused here, before any
  /// batch was sent. The upload must not outlive the service.
  arrow::Result<std::unique_ptr<Upload>> BeginUpload(const Caller& caller,
                                                     const UploadRequest& request,
                                                     std::shared_ptr<arrow::Schema> schema);

  /// Opens the stored file itself. PERMISSION_DENIED when columns of it are hidden from the caller.
  /// The reader must not outlive the service.
  arrow::Result<std::unique_ptr<StoredFileReader>> OpenFile(const Caller& caller,
                                                            const FileRequest& request);

  /// Starts an upload of a Parquet file that is to be stored as it is; settings of `request` that
  /// say how to encode are INVALID_ARGUMENT. The upload must not outlive the service.
  arrow::Result<std::unique_ptr<FileUpload>> BeginFileUpload(const Caller& caller,
                                                             const UploadRequest& request);

  struct DropRequest {
    std::string dataset;
    std::optional<std::string> if_version;
    bool purge = false;  ///< Keep nothing of the dataset, past versions neither.
  };
  /// NOT_FOUND when it is not there; with `if_version`, FAILED_PRECONDITION when it moved on.
  arrow::Status Drop(const Caller& caller, const DropRequest& request);

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

  /// Reads one dataset, or all files, whole and says what is wrong with them. The check must not
  /// outlive the service.
  arrow::Result<std::unique_ptr<DatasetCheck>> Check(const Caller& caller,
                                                     const std::optional<std::string>& dataset);

  /// OK when the caller may administer every dataset, and with it see what the server tells of
  /// itself.
  arrow::Status RequireAdministrator(const Caller& caller) const;

  /// OK when the store answers.
  arrow::Status CheckStore() const;

  /// Until when a ticket that is given out now can be redeemed.
  Timestamp TicketExpiry() const;

  /// What was replaced and dropped.
  VersionHistory& history() { return *history_; }

  /// Removes what is kept no longer, and from now on does so by itself.
  arrow::Result<HistorySweepResult> StartSweepingHistory();
  /// As above, without a sweep on the caller's thread: for a store in which that may take long.
  void StartSweepingHistoryLater();

 private:
  void ShowMetrics(Metrics* metrics);

  // Starts a scan once there is room for it. `decoded` is where segments come from and go to.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Scan(const Caller& caller,
                                                                OpenSnapshot snapshot,
                                                                const ScanRequest& request,
                                                                SegmentCache* decoded);
  UploadResources ResourcesForUploads() const;

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Logger> logger_;
  const Options options_;
  const std::unique_ptr<AccessGate> gate_;
  const std::unique_ptr<CallerRates> rates_;
  const std::unique_ptr<WorkMemory> memory_;
  const std::unique_ptr<Catalog> catalog_;
  const std::unique_ptr<CommittedUploads> committed_;
  const std::unique_ptr<HistoryKeeper> keeper_;
  const std::unique_ptr<VersionHistory> history_;
  const std::unique_ptr<SegmentCache> decoded_;
  const std::unique_ptr<SegmentCache> uncached_;  // Keeps nothing: what checks read through.
  const std::unique_ptr<ReadAheadBudget> read_ahead_;
  const std::unique_ptr<RangeFetcher> fetcher_;  // nullptr: the store is not remote.
  const std::unique_ptr<WorkerPool> workers_;    // Decode and encode.
  std::atomic<int64_t> unsettled_reads_ = 0;
};

}  // namespace hangar
