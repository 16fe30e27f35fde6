#include "service/dataset_service.h"

#include <format>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "base/memory_budget.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "history/history_keeper.h"
#include "read/scan_plan.h"
#include "read/scan_stream.h"
#include "read/segment_cache.h"
#include "service/committed_uploads.h"
#include "service/staged_upload.h"
#include "service/version_history.h"
#include "service/work_memory.h"
#include "store/object_store.h"

namespace hangar {
namespace {

constexpr int64_t kPartitionsMax = 10'000;
constexpr size_t kGlobBytesMax = 4096;

ScanRequest ToScan(const ReadRequest& request) {
  return {.columns = request.columns,
          .offset_rows = request.offset_rows,
          .limit_rows = request.limit_rows};
}

// Which version a read is of; nullopt: the current one.
arrow::Result<std::optional<std::string>> VersionOf(Catalog& catalog, const DatasetName& name,
                                                    const ReadRequest& request) {
  if (!request.as_of) return request.version;
  if (request.version) {
    return MakeError(ErrorKind::kInvalidArgument, "give either a version or as_of, not both");
  }
  return catalog.VersionAt(name, *request.as_of);
}

class ListerOfDescriptions final : public DatasetLister {
 public:
  ListerOfDescriptions(std::unique_ptr<Catalog::Lister> snapshots, Caller caller)
      : snapshots_(std::move(snapshots)), caller_(std::move(caller)) {}

  arrow::Result<std::optional<DatasetDescription>> Next() override {
    if (caller_.IsGone()) return CallerIsGone();
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, snapshots_->Next());
    if (!snapshot) return std::nullopt;
    return DescriptionOf(*snapshot);
  }

 private:
  const std::unique_ptr<Catalog::Lister> snapshots_;
  const Caller caller_;
};

// A read that ends when its caller is gone, so that nothing is decoded for nobody.
class CallersStream final : public arrow::RecordBatchReader {
 public:
  CallersStream(AdmissionQueue::Reservation memory,
                std::shared_ptr<arrow::RecordBatchReader> stream, Caller caller)
      : memory_(std::move(memory)), stream_(std::move(stream)), caller_(std::move(caller)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return stream_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (caller_.IsGone()) return CallerIsGone();
    return stream_->ReadNext(batch);
  }

 private:
  const AdmissionQueue::Reservation memory_;  // Given back after the stream is gone.
  const std::shared_ptr<arrow::RecordBatchReader> stream_;
  const Caller caller_;
};

}  // namespace

DatasetService::DatasetService(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                               const Options& options)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      options_(options),
      memory_(std::make_unique<WorkMemory>(options.memory, options.queue_timeout)),
      catalog_(std::make_unique<Catalog>(store_, logger_, options.footer_cache_bytes)),
      committed_(std::make_unique<CommittedUploads>(catalog_.get())),
      keeper_(std::make_unique<HistoryKeeper>(
          store_, logger_, options.retention,
          [this](const std::string& version) { catalog_->Forget(version); })),
      history_(std::make_unique<VersionHistory>(store_, catalog_.get(), keeper_.get())),
      decoded_(std::make_unique<SegmentCache>(
          SegmentCache::Options{.capacity_bytes = options.cache_bytes})),
      uncached_(std::make_unique<SegmentCache>(SegmentCache::Options{})),
      read_ahead_(std::make_unique<ReadAheadBudget>(memory_->read_ahead())),
      workers_(std::make_unique<WorkerPool>(WorkerPool::ProcessorCount())) {
  if (options_.memory == nullptr) return;
  options_.memory->SetReclaimer([this](int64_t bytes) { return decoded_->Release(bytes); });
}

DatasetService::~DatasetService() {
  if (options_.memory != nullptr) options_.memory->SetReclaimer(nullptr);
}

arrow::Status CheckListRequest(const ListRequest& request) {
  if (request.limit.value_or(0) < 0) {
    return Error(ErrorKind::kInvalidArgument, "the limit is {}; it cannot be negative",
                 *request.limit);
  }
  // Matching takes time by its length for each name.
  if (request.glob.size() > kGlobBytesMax) {
    return Error(ErrorKind::kInvalidArgument, "the glob has {} bytes; it may have {}",
                 request.glob.size(), kGlobBytesMax);
  }
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<DatasetLister>> DatasetService::List(const Caller& caller,
                                                                   const ListRequest& request) {
  ARROW_RETURN_NOT_OK(CheckListRequest(request));
  DatasetFilter filter{.prefix = request.prefix,
                       .glob = request.glob,
                       .after = request.after,
                       .limit = request.limit};
  ARROW_ASSIGN_OR_RAISE(auto snapshots, catalog_->List(std::move(filter), workers_.get()));
  return std::make_unique<ListerOfDescriptions>(std::move(snapshots), caller);
}

arrow::Result<DatasetDescription> DatasetService::Describe(const Caller&,
                                                           const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(dataset));
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, std::nullopt));
  return DescriptionOf(snapshot);
}

arrow::Result<ReadDescription> DatasetService::DescribeRead(const Caller&,
                                                            const ReadRequest& request,
                                                            int64_t partitions_max) {
  if (partitions_max < 1 || partitions_max > kPartitionsMax) {
    return Error(ErrorKind::kInvalidArgument, "partitions is {}; it must be 1 to {}",
                 partitions_max, kPartitionsMax);
  }
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(const auto version, VersionOf(*catalog_, name, request));
  const Timestamp expires = keeper_->TicketExpiry();
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, version));
  if (snapshot.retired) {
    ARROW_RETURN_NOT_OK(store_->HoldRetired(name.value(), snapshot.object.version, expires));
  }
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, PlanScan(*snapshot.footer, ToScan(request)));
  ReadDescription description{.dataset = DescriptionOf(snapshot),
                              .schema = plan.schema,
                              .rows = plan.rows,
                              .partitions = {},
                              .expires = expires};
  for (const ScanPartition& part : Partition(*snapshot.footer, plan, partitions_max)) {
    description.partitions.push_back({.offset_rows = part.offset_rows,
                                      .rows = part.rows,
                                      .bytes = part.bytes,
                                      .row_groups = part.row_groups});
  }
  return description;
}

arrow::Result<Timestamp> DatasetService::RenewRead(const Caller&, const ReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  if (!request.version) {
    return MakeError(
        ErrorKind::kInvalidArgument,
        "a ticket that names no version reads whatever is current and does not expire");
  }
  const Timestamp expires = keeper_->TicketExpiry();
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, request.version));
  if (snapshot.retired) {
    ARROW_RETURN_NOT_OK(store_->HoldRetired(name.value(), *request.version, expires));
  }
  return expires;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> DatasetService::Read(
    const Caller& caller, const ReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(const auto version, VersionOf(*catalog_, name, request));
  ARROW_ASSIGN_OR_RAISE(OpenSnapshot snapshot, catalog_->Open(name, version));
  return Scan(caller, std::move(snapshot), request, decoded_.get());
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> DatasetService::Scan(
    const Caller& caller, OpenSnapshot snapshot, const ReadRequest& request,
    SegmentCache* decoded) {
  // Under a name of its own nothing finds what it leaves behind.
  if (!snapshot.snapshot.object.settled)
    snapshot.snapshot.object.version += std::format("/{}", ++unsettled_reads_);
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*snapshot.snapshot.footer, ToScan(request)));
  ARROW_ASSIGN_OR_RAISE(auto memory, memory_->AdmitRead(ExpectedScanBytes(snapshot, plan, *decoded),
                                                        caller.is_cancelled));
  auto stream = StartScan(
      std::move(snapshot), std::move(plan), {.batch_bytes = options_.batch_bytes},
      {.decoded = decoded, .read_ahead = read_ahead_.get(), .workers = workers_.get()}, logger_);
  return std::make_shared<CallersStream>(std::move(memory), std::move(stream), caller);
}

arrow::Result<std::unique_ptr<Upload>> DatasetService::BeginUpload(
    const Caller& caller, const UploadRequest& request, std::shared_ptr<arrow::Schema> schema) {
  return BeginStagedUpload({.store = store_.get(),
                            .catalog = catalog_.get(),
                            .committed = committed_.get(),
                            .keeper = keeper_.get(),
                            .memory = memory_.get(),
                            .workers = workers_.get()},
                           options_.uploads, caller, request, std::move(schema));
}

arrow::Status DatasetService::Drop(const Caller& caller, const DropRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  const Precondition precondition =
      request.if_version ? Precondition::Version(*request.if_version) : Precondition::None();
  ARROW_RETURN_NOT_OK(store_->Delete(name.value(), precondition));
  keeper_->NoteRetired();
  if (!request.purge) return arrow::Status::OK();
  const auto purged = history_->Purge(caller, request.dataset, /*version=*/std::nullopt);
  // A store that could not retire what was dropped left nothing to purge.
  return KindOf(purged.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : purged.status();
}

arrow::Result<std::unique_ptr<DatasetCheck>> DatasetService::Check(
    const Caller& caller, const std::optional<std::string>& dataset) {
  std::optional<DatasetName> name;
  if (dataset) {
    ARROW_ASSIGN_OR_RAISE(name, DatasetName::Parse(*dataset));
  }
  auto scan = [this, caller](OpenSnapshot snapshot) {
    return Scan(caller, std::move(snapshot), ReadRequest{}, uncached_.get());
  };
  return DatasetCheck::Make(store_.get(), catalog_.get(), std::move(scan), name, caller);
}

Timestamp DatasetService::TicketExpiry() const { return keeper_->TicketExpiry(); }

arrow::Result<HistorySweepResult> DatasetService::StartSweepingHistory() {
  auto swept = keeper_->Sweep();
  keeper_->Start();
  return swept;
}

arrow::Result<DatasetService::RenameResult> DatasetService::Rename(const Caller&,
                                                                   const RenameRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName from, DatasetName::Parse(request.from));
  ARROW_ASSIGN_OR_RAISE(const DatasetName to, DatasetName::Parse(request.to));
  const Precondition from_precondition =
      request.if_version ? Precondition::Version(*request.if_version) : Precondition::None();
  const Precondition to_precondition =
      request.overwrite ? Precondition::None() : Precondition::Absent();
  ARROW_ASSIGN_OR_RAISE(
      const ObjectInfo object,
      store_->Rename(from.value(), to.value(), from_precondition, to_precondition));
  keeper_->NoteRetired();
  return RenameResult{.dataset = object.key, .version = object.version};
}

}  // namespace hangar
