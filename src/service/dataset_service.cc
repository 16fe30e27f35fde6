#include "service/dataset_service.h"

#include <format>
#include <functional>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/error.h"
#include "base/memory_budget.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "history/history_keeper.h"
#include "read/range_fetcher.h"
#include "read/scan_plan.h"
#include "read/scan_stream.h"
#include "read/segment_cache.h"
#include "read/sequential_reader.h"
#include "service/access_gate.h"
#include "service/caller_rates.h"
#include "service/committed_uploads.h"
#include "service/retried_read.h"
#include "service/service_metrics.h"
#include "service/staged_file_upload.h"
#include "service/staged_upload.h"
#include "service/stored_file_reader.h"
#include "service/version_history.h"
#include "service/work_memory.h"
#include "store/object_store.h"

namespace hangar {
namespace {

constexpr int64_t kPartitionsMax = 10'000;
constexpr size_t kGlobBytesMax = 4096;

ScanRequest ToScan(const ReadRequest& request, HiddenColumns hidden) {
  std::function<bool(std::string_view)> hides;
  if (!hidden.empty()) {
    hides = [hidden = std::move(hidden)](std::string_view column) { return hidden.Hides(column); };
  }
  return {.columns = request.columns,
          .hides = std::move(hides),
          .offset_rows = request.offset_rows,
          .limit_rows = request.limit_rows};
}

// Which version a read is of; nullopt: the current one.
template <typename Request>
arrow::Result<std::optional<std::string>> VersionOf(Catalog& catalog, const DatasetName& name,
                                                    const Request& request) {
  if (!request.as_of) return request.version;
  if (request.version) {
    return MakeError(ErrorKind::kInvalidArgument, "give either a version or as_of, not both");
  }
  return catalog.VersionAt(name, *request.as_of);
}

class ListerOfDescriptions final : public DatasetLister {
 public:
  ListerOfDescriptions(std::unique_ptr<Catalog::Lister> snapshots, CallerRights rights,
                       Caller caller)
      : snapshots_(std::move(snapshots)), rights_(std::move(rights)), caller_(std::move(caller)) {}

  arrow::Result<std::optional<DatasetDescription>> Next() override {
    if (caller_.IsGone()) return CallerIsGone();
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, snapshots_->Next());
    if (!snapshot) return std::nullopt;
    return DescriptionOf(*snapshot, rights_.HiddenOf(snapshot->object.key));
  }

 private:
  const std::unique_ptr<Catalog::Lister> snapshots_;
  const CallerRights rights_;
  const Caller caller_;
};

// A read that ends when its caller is gone, so that nothing is decoded for nobody, and gives no
// more than the caller may have.
class CallersStream final : public arrow::RecordBatchReader {
 public:
  CallersStream(AdmissionQueue::Reservation memory,
                std::shared_ptr<arrow::RecordBatchReader> stream, CallerRates* rates, Caller caller)
      : memory_(std::move(memory)),
        stream_(std::move(stream)),
        rates_(rates),
        caller_(std::move(caller)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return stream_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (caller_.IsGone()) return CallerIsGone();
    ARROW_RETURN_NOT_OK(stream_->ReadNext(batch));
    if (*batch == nullptr || (!caller_.activity && !rates_->is_limited())) {
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(**batch));
    if (caller_.activity) {
      caller_.activity->rows_out += (*batch)->num_rows();
      caller_.activity->bytes_out += bytes;
    }
    return rates_->Pace(caller_, CallerRates::Direction::kOut, bytes);
  }

 private:
  const AdmissionQueue::Reservation memory_;  // Given back after the stream is gone.
  const std::shared_ptr<arrow::RecordBatchReader> stream_;
  CallerRates* const rates_;
  const Caller caller_;
};

// A new name can mean other readers, and other columns that are hidden from them: who gives one has
// to be able to read all that they hand on.
arrow::Status CheckMayRename(const CallerRights& rights, const std::string& from,
                             const std::string& to) {
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kDrop, from));
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, from));
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kWrite, to));
  if (rights.HiddenOf(from).empty()) return arrow::Status::OK();
  return rights.Note(
      "rename", from,
      Error(ErrorKind::kPermissionDenied,
            "columns of {} may be hidden from you, so you may not rename it", Quoted(from)));
}

// An upload whose end the audit log hears of.
template <typename Base>
class NotedUpload : public Base {
 public:
  NotedUpload(std::unique_ptr<Base> upload, CallerRights rights, std::string dataset)
      : upload_(std::move(upload)), rights_(std::move(rights)), dataset_(std::move(dataset)) {}

  arrow::Result<UploadResult> Commit() override {
    auto result = upload_->Commit();
    ARROW_RETURN_NOT_OK(
        rights_.Note("put", dataset_, result.status(), result.ok() ? result->version : ""));
    return result;
  }

 protected:
  const std::unique_ptr<Base> upload_;

 private:
  const CallerRights rights_;
  const std::string dataset_;
};

class NotedTableUpload final : public NotedUpload<Upload> {
 public:
  using NotedUpload::NotedUpload;
  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    return upload_->Append(batch);
  }
};

class NotedFileUpload final : public NotedUpload<FileUpload> {
 public:
  using NotedUpload::NotedUpload;
  arrow::Status Append(const void* bytes, int64_t length) override {
    return upload_->Append(bytes, length);
  }
};

}  // namespace

DatasetService::DatasetService(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                               const Options& options)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      options_(options),
      gate_(std::make_unique<AccessGate>(options.policy, options.audit)),
      rates_(std::make_unique<CallerRates>(options.caller_bytes_per_second)),
      memory_(std::make_unique<WorkMemory>(options.memory, store_->staging_memory(),
                                           options.queue_timeout, MemoryWaits(options.metrics),
                                           store_->IsRemote())),
      catalog_(std::make_unique<Catalog>(store_, logger_, options.footer_cache_bytes)),
      committed_(std::make_unique<CommittedUploads>(catalog_.get())),
      keeper_(std::make_unique<HistoryKeeper>(
          store_, logger_, options.retention,
          [this](const std::string& version) { catalog_->Forget(version); })),
      history_(
          std::make_unique<VersionHistory>(store_, catalog_.get(), keeper_.get(), gate_.get())),
      decoded_(std::make_unique<SegmentCache>(
          SegmentCache::Options{.capacity_bytes = options.cache_bytes})),
      uncached_(std::make_unique<SegmentCache>(SegmentCache::Options{})),
      read_ahead_(std::make_unique<ReadAheadBudget>(memory_->read_ahead())),
      fetcher_(store_->IsRemote()
                   ? std::make_unique<RangeFetcher>(RangeFetcher::Options{
                         .ahead = memory_->fetch_ahead(), .disk = options.disk_cache})
                   : nullptr),
      workers_(std::make_unique<WorkerPool>(WorkerPool::ProcessorCount())) {
  if (options_.metrics != nullptr) ShowMetrics(options_.metrics);
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
  CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.RequireForList());
  if (!rights.MayEverywhere(AccessAction::kRead)) {
    filter.admits = [rights](const std::string& name) {
      return rights.May(AccessAction::kRead, name);
    };
  }
  // Footers from afar are waited for, not worked at.
  WorkerPool* const readers = fetcher_ == nullptr ? workers_.get() : fetcher_->threads();
  ARROW_ASSIGN_OR_RAISE(auto snapshots, catalog_->List(std::move(filter), readers));
  return std::make_unique<ListerOfDescriptions>(std::move(snapshots), std::move(rights), caller);
}

arrow::Result<DatasetDescription> DatasetService::Describe(const Caller& caller,
                                                           const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name.value()));
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, std::nullopt));
  return DescriptionOf(snapshot, rights.HiddenOf(name.value()));
}

arrow::Result<ReadDescription> DatasetService::DescribeRead(const Caller& caller,
                                                            const ReadRequest& request,
                                                            int64_t partitions_max) {
  if (partitions_max < 1 || partitions_max > kPartitionsMax) {
    return Error(ErrorKind::kInvalidArgument, "partitions is {}; it must be 1 to {}",
                 partitions_max, kPartitionsMax);
  }
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name.value()));
  ARROW_ASSIGN_OR_RAISE(const auto version, VersionOf(*catalog_, name, request));
  const Timestamp expires = keeper_->TicketExpiry();
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, version));
  if (snapshot.retired) {
    ARROW_RETURN_NOT_OK(store_->HoldRetired(name.value(), snapshot.object.version, expires));
  }
  const HiddenColumns hidden = rights.HiddenOf(name.value());
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, PlanScan(*snapshot.footer, ToScan(request, hidden)));
  ReadDescription description{.dataset = DescriptionOf(snapshot, hidden),
                              .schema = plan.schema,
                              .rows = plan.rows,
                              .partitions = {},
                              .expires = expires};
  for (const ScanPartition& part : Partition(*snapshot.footer, plan, partitions_max)) {
    description.partitions.push_back({.offset_rows = part.offset_rows,
                                      .rows = part.rows,
                                      .bytes = part.bytes,
                                      .row_groups = part.row_groups,
                                      .first_row_group = part.first_row_group});
  }
  return description;
}

arrow::Result<Timestamp> DatasetService::RenewRead(const Caller& caller,
                                                   const ReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  ARROW_RETURN_NOT_OK(gate_->RightsOf(caller).Require(AccessAction::kRead, name.value()));
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
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name.value()));
  ARROW_ASSIGN_OR_RAISE(const auto version, VersionOf(*catalog_, name, request));
  const auto begin = [this, caller, name, version,
                      scan = ToScan(request, rights.HiddenOf(name.value()))]()
      -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    ARROW_ASSIGN_OR_RAISE(OpenSnapshot snapshot, catalog_->Open(name, version));
    return Scan(caller, std::move(snapshot), scan, decoded_.get());
  };
  return version ? begin() : BeginRetriedRead(begin);
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> DatasetService::Scan(
    const Caller& caller, OpenSnapshot snapshot, const ScanRequest& request,
    SegmentCache* decoded) {
  // Under a name of its own nothing finds what it leaves behind.
  if (!snapshot.snapshot.object.settled)
    snapshot.snapshot.object.version += std::format("/{}", ++unsettled_reads_);
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*snapshot.snapshot.footer, request));
  ARROW_ASSIGN_OR_RAISE(auto memory, memory_->AdmitRead(ExpectedScanBytes(snapshot, plan, *decoded,
                                                                          fetcher_ != nullptr),
                                                        caller.is_cancelled));
  const ScanOptions scan{.batch_bytes = options_.batch_bytes,
                         .uses_disk_cache = decoded != uncached_.get()};
  auto stream = StartScan(std::move(snapshot), std::move(plan), scan,
                          {.decoded = decoded,
                           .read_ahead = read_ahead_.get(),
                           .workers = workers_.get(),
                           .fetcher = fetcher_.get()},
                          logger_);
  return std::make_shared<CallersStream>(std::move(memory), std::move(stream), rates_.get(),
                                         caller);
}

UploadResources DatasetService::ResourcesForUploads() const {
  return {.store = store_.get(),
          .catalog = catalog_.get(),
          .committed = committed_.get(),
          .keeper = keeper_.get(),
          .memory = memory_.get(),
          .rates = rates_.get(),
          .workers = workers_.get(),
          .fetcher = fetcher_.get()};
}

arrow::Result<std::unique_ptr<Upload>> DatasetService::BeginUpload(
    const Caller& caller, const UploadRequest& request, std::shared_ptr<arrow::Schema> schema) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kWrite, name.value()));
  ARROW_ASSIGN_OR_RAISE(auto upload, BeginStagedUpload(ResourcesForUploads(), options_.uploads,
                                                       caller, request, std::move(schema)));
  return std::make_unique<NotedTableUpload>(std::move(upload), std::move(rights), name.value());
}

arrow::Result<std::unique_ptr<FileUpload>> DatasetService::BeginFileUpload(
    const Caller& caller, const UploadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kWrite, name.value()));
  ARROW_ASSIGN_OR_RAISE(
      auto upload, BeginStagedFileUpload(ResourcesForUploads(), options_.uploads, caller, request));
  return std::make_unique<NotedFileUpload>(std::move(upload), std::move(rights), name.value());
}

arrow::Result<std::unique_ptr<StoredFileReader>> DatasetService::OpenFile(
    const Caller& caller, const FileRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name.value()));
  ARROW_ASSIGN_OR_RAISE(const auto version, VersionOf(*catalog_, name, request));
  ARROW_ASSIGN_OR_RAISE(OpenSnapshot snapshot, catalog_->Open(name, version));
  const HiddenColumns hidden = rights.HiddenOf(name.value());
  for (const auto& field : snapshot.snapshot.footer->logical_schema->fields()) {
    if (!hidden.Hides(field->name())) continue;
    return Error(ErrorKind::kPermissionDenied,
                 "not all columns of {} may be read by you, so its file cannot be given as it is: "
                 "ask for its rows instead",
                 Quoted(name.value()));
  }
  if (fetcher_ != nullptr) {
    snapshot.reader = ReadSequentially(std::move(snapshot.reader), fetcher_.get());
  }
  return ReadStoredFile(std::move(snapshot), rates_.get(), caller);
}

arrow::Status DatasetService::Drop(const Caller& caller, const DropRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, ParseName(caller, request.dataset));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kDrop, name.value()));
  // What is dropped can be brought back; what is purged cannot.
  if (request.purge) ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kAdmin, name.value()));
  const Precondition precondition =
      request.if_version ? Precondition::Version(*request.if_version) : Precondition::None();
  ARROW_RETURN_NOT_OK(
      rights.Note("drop", name.value(), store_->Delete(name.value(), precondition)));
  keeper_->NoteRetired();
  if (!request.purge) return arrow::Status::OK();
  const auto purged = history_->Purge(caller, request.dataset, /*version=*/std::nullopt);
  // A store that could not retire what was dropped left nothing to purge.
  return KindOf(purged.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : purged.status();
}

arrow::Result<std::unique_ptr<DatasetCheck>> DatasetService::Check(
    const Caller& caller, const std::optional<std::string>& dataset) {
  const CallerRights rights = gate_->RightsOf(caller);
  std::optional<DatasetName> name;
  if (dataset) {
    ARROW_ASSIGN_OR_RAISE(name, ParseName(caller, *dataset));
    ARROW_RETURN_NOT_OK(rights.Require(AccessAction::kRead, name->value()));
  }
  auto admits = [rights](const std::string& key) { return rights.May(AccessAction::kRead, key); };
  auto scan = [this, caller](OpenSnapshot snapshot) {
    return Scan(caller, std::move(snapshot), ScanRequest{}, uncached_.get());
  };
  return DatasetCheck::Make(store_.get(), catalog_.get(), std::move(scan), std::move(admits), name,
                            caller);
}

arrow::Status DatasetService::RequireAdministrator(const Caller& caller) const {
  return gate_->RightsOf(caller).RequireEverywhere(AccessAction::kAdmin);
}

arrow::Status DatasetService::CheckStore() const {
  // A name that nobody has: that it is not there is an answer.
  const auto object = store_->Stat("hangar-is-there-a-store");
  return KindOf(object.status()) == ErrorKind::kNotFound ? arrow::Status::OK() : object.status();
}

Timestamp DatasetService::TicketExpiry() const { return keeper_->TicketExpiry(); }

arrow::Result<HistorySweepResult> DatasetService::StartSweepingHistory() {
  auto swept = keeper_->Sweep();
  keeper_->Start();
  return swept;
}

void DatasetService::StartSweepingHistoryLater() { keeper_->Start(); }

arrow::Result<DatasetService::RenameResult> DatasetService::Rename(const Caller& caller,
                                                                   const RenameRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName from, ParseName(caller, request.from));
  ARROW_ASSIGN_OR_RAISE(const DatasetName to, DatasetName::Parse(request.to));
  const CallerRights rights = gate_->RightsOf(caller);
  ARROW_RETURN_NOT_OK(CheckMayRename(rights, from.value(), to.value()));
  const Precondition from_precondition =
      request.if_version ? Precondition::Version(*request.if_version) : Precondition::None();
  const Precondition to_precondition =
      request.overwrite ? Precondition::None() : Precondition::Absent();
  const auto object = store_->Rename(from.value(), to.value(), from_precondition, to_precondition);
  ARROW_RETURN_NOT_OK(rights.Note("rename", from.value() + " -> " + to.value(), object.status(),
                                  object.ok() ? object->version : ""));
  keeper_->NoteRetired();
  return RenameResult{.dataset = object->key, .version = object->version};
}

}  // namespace hangar
