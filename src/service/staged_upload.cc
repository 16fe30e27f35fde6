#include "service/staged_upload.h"

#include <optional>
#include <string>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "history/history_keeper.h"
#include "service/caller_rates.h"
#include "service/committed_uploads.h"
#include "service/upload_conditions.h"
#include "service/upload_limits.h"
#include "service/work_memory.h"
#include "store/object_store.h"
#include "write/dataset_writer.h"

namespace hangar {
namespace {

class StagedUpload final : public Upload {
 public:
  StagedUpload(WorkMemory::UploadRoom room, DatasetName name, Precondition precondition,
               std::unique_ptr<DatasetWriter> writer, std::optional<int64_t> rows_expected,
               std::optional<std::string> id, Catalog* catalog, CommittedUploads* committed,
               HistoryKeeper* keeper, CallerRates* rates, Caller caller)
      : room_(std::move(room)),
        name_(std::move(name)),
        precondition_(std::move(precondition)),
        writer_(std::move(writer)),
        rows_expected_(rows_expected),
        id_(std::move(id)),
        catalog_(catalog),
        committed_(committed),
        keeper_(keeper),
        rates_(rates),
        caller_(std::move(caller)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    const int64_t bytes = arrow::util::TotalBufferSize(*batch);
    if (caller_.activity) {
      caller_.activity->rows_in += batch->num_rows();
      caller_.activity->bytes_in += bytes;
    }
    if (!room_.is_large()) ARROW_RETURN_NOT_OK(room_.Received(bytes, caller_.is_cancelled));
    ARROW_RETURN_NOT_OK(MakeRoomAfter(writer_->Append(batch), *keeper_));
    return rates_->Pace(caller_, CallerRates::Direction::kIn, bytes);
  }

  arrow::Result<UploadResult> Commit() override {
    auto result = FinishAndPublish();
    if (!result.ok()) return MakeRoomAfter(result.status(), *keeper_);
    return result;
  }

 private:
  arrow::Result<UploadResult> FinishAndPublish() {
    if (rows_expected_ && *rows_expected_ != writer_->rows()) {
      return Error(ErrorKind::kInvalidArgument,
                   "the upload was to have {} rows and ended after {}; nothing was stored",
                   *rows_expected_, writer_->rows());
    }
    ARROW_RETURN_NOT_OK(writer_->Finish());
    // A caller that died half way looks like one that is done until the connection is known to be
    // lost: this is the last moment to see it, after the slow steps.
    if (caller_.IsGone()) return CallerIsGone();
    if (!id_) return Publish();
    const MutexLock lock(committed_->MutexOf(name_, *id_));
    ARROW_ASSIGN_OR_RAISE(const auto earlier, committed_->Find(name_, *id_));
    return earlier ? ResultOf(*earlier, /*repeated=*/true) : Publish();
  }

  arrow::Result<UploadResult> Publish() {
    ARROW_ASSIGN_OR_RAISE(const Snapshot snapshot, writer_->Publish(name_, precondition_));
    catalog_->Learn(snapshot.object, snapshot.footer);
    keeper_->NoteRetired();
    return ResultOf(snapshot, /*repeated=*/false);
  }

  WorkMemory::UploadRoom room_;  // Given back after the writer is gone.
  const DatasetName name_;
  const Precondition precondition_;
  const std::unique_ptr<DatasetWriter> writer_;
  const std::optional<int64_t> rows_expected_;
  const std::optional<std::string> id_;
  Catalog* const catalog_;
  CommittedUploads* const committed_;
  HistoryKeeper* const keeper_;
  CallerRates* const rates_;
  const Caller caller_;
};

// One that was committed before: what is sent again is not looked at.
class RepeatedUpload final : public Upload {
 public:
  explicit RepeatedUpload(UploadResult result) : result_(std::move(result)) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>&) override {
    return arrow::Status::OK();
  }
  arrow::Result<UploadResult> Commit() override { return result_; }

 private:
  const UploadResult result_;
};

WriteSettings SettingsOf(const UploadRequest& request, const UploadLimits& limits,
                         const WorkMemory& memory, WorkerPool* workers) {
  WriteSettings settings{.codec = request.codec,
                         .level = request.level,
                         .row_group_bytes = memory.row_group_bytes(),
                         .file_bytes_max = limits.bytes,
                         .encodings = request.encodings,
                         .waiting_bytes = memory.waiting_bytes(),
                         .workers = workers,
                         .budget = memory.budget()};
  if (request.upload_id) settings.upload_id = *request.upload_id;
  if (request.row_group_rows) settings.row_group_rows = *request.row_group_rows;
  return settings;
}

}  // namespace

arrow::Result<std::unique_ptr<Upload>> BeginStagedUpload(const UploadResources& resources,
                                                         const UploadLimits& limits,
                                                         const Caller& caller,
                                                         const UploadRequest& request,
                                                         std::shared_ptr<arrow::Schema> schema) {
  ARROW_ASSIGN_OR_RAISE(DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(Precondition precondition, PreconditionOf(request));
  if (request.upload_id) {
    ARROW_RETURN_NOT_OK(CommittedUploads::CheckId(*request.upload_id));
    ARROW_ASSIGN_OR_RAISE(const auto earlier, resources.committed->Find(name, *request.upload_id));
    if (earlier) return std::make_unique<RepeatedUpload>(ResultOf(*earlier, /*repeated=*/true));
  }
  ARROW_RETURN_NOT_OK(CheckSchemaWithin(limits, *schema));
  ARROW_RETURN_NOT_OK(CheckEarly(*resources.store, name, precondition));
  ARROW_ASSIGN_OR_RAISE(auto room, resources.memory->AdmitUpload(caller.is_cancelled));
  auto writer =
      DatasetWriter::Make(*resources.store, std::move(schema),
                          SettingsOf(request, limits, *resources.memory, resources.workers),
                          {.key = name.value(), .memory_bytes = resources.memory->staging_bytes()});
  if (!writer.ok()) return MakeRoomAfter(writer.status(), *resources.keeper);
  auto upload = std::make_unique<StagedUpload>(
      std::move(room), std::move(name), std::move(precondition), *std::move(writer), request.rows,
      request.upload_id, resources.catalog, resources.committed, resources.keeper, resources.rates,
      caller);
  return KeepWithin(limits, std::move(upload));
}

}  // namespace hangar
