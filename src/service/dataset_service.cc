#include "service/dataset_service.h"

#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "read/scan_plan.h"
#include "read/scan_stream.h"
#include "read/segment_cache.h"
#include "store/object_store.h"
#include "write/dataset_writer.h"

namespace hangar {
namespace {

constexpr int64_t kPartitionsMax = 10'000;

DatasetDescription Describe(const Snapshot& snapshot) {
  return {.name = snapshot.object.key,
          .version = snapshot.object.version,
          .modified = snapshot.object.modified,
          .rows = snapshot.footer->rows,
          .bytes = snapshot.object.size_bytes,
          .row_groups = snapshot.footer->row_groups,
          .schema = snapshot.footer->logical_schema,
          .ipc_schema = snapshot.footer->ipc_schema};
}

bool IsGone(const Caller& caller) { return caller.is_cancelled && caller.is_cancelled(); }

arrow::Status Gone() {
  return MakeError(ErrorKind::kCancelled, "the caller cancelled the call or went away");
}

ScanRequest ToScan(const ReadRequest& request) {
  return {.columns = request.columns,
          .offset_rows = request.offset_rows,
          .limit_rows = request.limit_rows};
}

class ListerOfDescriptions final : public DatasetLister {
 public:
  ListerOfDescriptions(std::unique_ptr<Catalog::Lister> snapshots, Caller caller)
      : snapshots_(std::move(snapshots)), caller_(std::move(caller)) {}

  arrow::Result<std::optional<DatasetDescription>> Next() override {
    if (IsGone(caller_)) return Gone();
    ARROW_ASSIGN_OR_RAISE(const auto snapshot, snapshots_->Next());
    if (!snapshot) return std::nullopt;
    return Describe(*snapshot);
  }

 private:
  const std::unique_ptr<Catalog::Lister> snapshots_;
  const Caller caller_;
};

// A read that ends when its caller is gone, so that nothing is decoded for nobody.
class CallersStream final : public arrow::RecordBatchReader {
 public:
  CallersStream(std::shared_ptr<arrow::RecordBatchReader> stream, Caller caller)
      : stream_(std::move(stream)), caller_(std::move(caller)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return stream_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (IsGone(caller_)) return Gone();
    return stream_->ReadNext(batch);
  }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> stream_;
  const Caller caller_;
};

class StagedUpload final : public Upload {
 public:
  StagedUpload(DatasetName name, Precondition precondition, std::unique_ptr<DatasetWriter> writer,
               Catalog* catalog, Caller caller)
      : name_(std::move(name)),
        precondition_(std::move(precondition)),
        writer_(std::move(writer)),
        catalog_(catalog),
        caller_(std::move(caller)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    return writer_->Append(batch);
  }

  arrow::Result<UploadResult> Commit() override {
    ARROW_RETURN_NOT_OK(writer_->Finish());
    // A caller that died half way looks like one that is done until the connection is known to be
    // lost: this is the last moment to see it, after the slow steps.
    if (IsGone(caller_)) return Gone();
    ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, writer_->Publish(name_, precondition_));
    catalog_->Learn(snapshot.object, snapshot.footer);
    return UploadResult{.dataset = name_.value(),
                        .version = snapshot.object.version,
                        .rows = snapshot.footer->rows,
                        .bytes = snapshot.object.size_bytes};
  }

 private:
  const DatasetName name_;
  const Precondition precondition_;
  const std::unique_ptr<DatasetWriter> writer_;
  Catalog* const catalog_;
  const Caller caller_;
};

arrow::Result<Precondition> PreconditionOf(const UploadRequest& request) {
  if (request.mode == UploadMode::kCreate && request.if_version) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "mode 'create' wants nothing to be there, if_version wants a version to be "
                     "there: give one of the two");
  }
  if (request.mode == UploadMode::kCreate) return Precondition::Absent();
  if (request.if_version) return Precondition::Version(*request.if_version);
  return Precondition::None();
}

// Refuses an upload that could not be published as things stand, before its batches are sent. What
// counts is the check that the store makes when it publishes.
arrow::Status CheckEarly(ObjectStore& store, const DatasetName& name,
                         const Precondition& precondition) {
  if (precondition.kind == Precondition::Kind::kNone) return arrow::Status::OK();
  const auto object = store.Stat(name.value());
  if (!object.ok() && KindOf(object.status()) != ErrorKind::kNotFound) return object.status();
  if (precondition.kind == Precondition::Kind::kAbsent) {
    if (!object.ok()) return arrow::Status::OK();
    return Error(ErrorKind::kAlreadyExists, "{} exists already", Quoted(name.value()));
  }
  if (object.ok() && object->version == precondition.version) return arrow::Status::OK();
  return Error(ErrorKind::kFailedPrecondition, "{} is not at version {} any more",
               Quoted(name.value()), Quoted(precondition.version));
}

WriteSettings SettingsOf(const UploadRequest& request, WorkerPool* workers) {
  WriteSettings settings{.codec = request.codec,
                         .level = request.level,
                         .encodings = request.encodings,
                         .workers = workers};
  if (request.row_group_rows) settings.row_group_rows = *request.row_group_rows;
  return settings;
}

}  // namespace

DatasetService::DatasetService(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                               const Options& options)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      options_(options),
      catalog_(std::make_unique<Catalog>(store_, logger_, options.footer_cache_bytes)),
      decoded_(std::make_unique<SegmentCache>(
          SegmentCache::Options{.capacity_bytes = options.cache_bytes})),
      read_ahead_(std::make_unique<ReadAheadBudget>(ReadAheadBudget::Options{})),
      workers_(std::make_unique<WorkerPool>(WorkerPool::ProcessorCount())) {}

DatasetService::~DatasetService() = default;

arrow::Result<std::unique_ptr<DatasetLister>> DatasetService::List(const Caller& caller,
                                                                   const ListRequest& request) {
  if (request.limit.value_or(0) < 0) {
    return Error(ErrorKind::kInvalidArgument, "the limit is {}; it cannot be negative",
                 *request.limit);
  }
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
  return hangar::Describe(snapshot);
}

arrow::Result<ReadDescription> DatasetService::DescribeRead(const Caller&,
                                                            const ReadRequest& request,
                                                            int64_t partitions_max) {
  if (partitions_max < 1 || partitions_max > kPartitionsMax) {
    return Error(ErrorKind::kInvalidArgument, "partitions is {}; it must be 1 to {}",
                 partitions_max, kPartitionsMax);
  }
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, catalog_->Describe(name, request.version));
  ARROW_ASSIGN_OR_RAISE(const ScanPlan plan, PlanScan(*snapshot.footer, ToScan(request)));
  ReadDescription description{.dataset = hangar::Describe(snapshot),
                              .schema = plan.schema,
                              .rows = plan.rows,
                              .partitions = {}};
  for (const ScanPartition& part : Partition(*snapshot.footer, plan, partitions_max)) {
    description.partitions.push_back({.offset_rows = part.offset_rows,
                                      .rows = part.rows,
                                      .bytes = part.bytes,
                                      .row_groups = part.row_groups});
  }
  return description;
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> DatasetService::Read(
    const Caller& caller, const ReadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(OpenSnapshot snapshot, catalog_->Open(name, request.version));
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*snapshot.snapshot.footer, ToScan(request)));
  auto stream = StartScan(
      std::move(snapshot), std::move(plan), {.batch_bytes = options_.batch_bytes},
      {.decoded = decoded_.get(), .read_ahead = read_ahead_.get(), .workers = workers_.get()},
      logger_);
  return std::make_shared<CallersStream>(std::move(stream), caller);
}

arrow::Result<std::unique_ptr<Upload>> DatasetService::BeginUpload(
    const Caller& caller, const UploadRequest& request, std::shared_ptr<arrow::Schema> schema) {
  ARROW_ASSIGN_OR_RAISE(DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(Precondition precondition, PreconditionOf(request));
  ARROW_RETURN_NOT_OK(CheckEarly(*store_, name, precondition));
  ARROW_ASSIGN_OR_RAISE(auto writer, DatasetWriter::Make(*store_, std::move(schema),
                                                         SettingsOf(request, workers_.get())));
  return std::make_unique<StagedUpload>(std::move(name), std::move(precondition), std::move(writer),
                                        catalog_.get(), caller);
}

arrow::Status DatasetService::Drop(const Caller&, const std::string& dataset,
                                   const std::optional<std::string>& if_version) {
  ARROW_ASSIGN_OR_RAISE(const DatasetName name, DatasetName::Parse(dataset));
  return store_->Delete(name.value(),
                        if_version ? Precondition::Version(*if_version) : Precondition::None());
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
  return RenameResult{.dataset = object.key, .version = object.version};
}

}  // namespace hangar
