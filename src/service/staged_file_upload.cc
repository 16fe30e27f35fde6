#include "service/staged_file_upload.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "catalog/footer.h"
#include "history/history_keeper.h"
#include "read/verify_pages.h"
#include "service/caller_rates.h"
#include "service/committed_uploads.h"
#include "service/upload_conditions.h"
#include "service/upload_limits.h"
#include "service/work_memory.h"
#include "store/object_store.h"
#include "write/size_limited_object.h"

namespace hangar {
namespace {

constexpr int64_t kCompareBytes = 1 << 20;

// Whether two objects hold the same bytes; one that cannot be read is not the same.
bool HoldTheSame(ObjectReader& a, ObjectReader& b) {
  const int64_t size = a.info().size_bytes;
  if (size != b.info().size_bytes) return false;
  std::vector<char> of_a(kCompareBytes);
  std::vector<char> of_b(kCompareBytes);
  for (int64_t offset = 0; offset < size; offset += kCompareBytes) {
    const int64_t length = std::min(kCompareBytes, size - offset);
    if (!a.ReadAt(offset, length, of_a.data()).ok()) return false;
    if (!b.ReadAt(offset, length, of_b.data()).ok()) return false;
    if (std::memcmp(of_a.data(), of_b.data(), static_cast<size_t>(length)) != 0) return false;
  }
  return true;
}

// Remembers that a read failed. What reads Parquet says of a disk that fails that the file is
// damaged, and the client would be told to mend what is right. Thread-safe.
class DiskWatchedReader final : public ObjectReader {
 public:
  explicit DiskWatchedReader(std::unique_ptr<ObjectReader> reader) : reader_(std::move(reader)) {}

  const ObjectInfo& info() const override { return reader_->info(); }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override HANGAR_EXCLUDES(mutex_) {
    auto status = reader_->ReadAt(offset, length, out);
    // Beyond the end is where a wrong footer leads.
    if (status.ok() || KindOf(status) == ErrorKind::kInvalidArgument) return status;
    const MutexLock lock(mutex_);
    if (failure_.ok()) failure_ = status;
    return status;
  }

  bool DiscardReadBytes() override { return reader_->DiscardReadBytes(); }

  /// The first read that failed, or OK.
  arrow::Status failure() HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return failure_;
  }

 private:
  const std::unique_ptr<ObjectReader> reader_;
  Mutex mutex_;
  arrow::Status failure_ HANGAR_GUARDED_BY(mutex_);
};

// What is wrong with a file that was sent is the client's to mend; a disk that fails is not.
arrow::Status NotStored(const arrow::Status& status, DiskWatchedReader& reader) {
  ARROW_RETURN_NOT_OK(reader.failure());
  const ErrorKind kind = KindOf(status);
  if (kind != ErrorKind::kDataLoss && kind != ErrorKind::kInvalidArgument) return status;
  return Error(ErrorKind::kInvalidArgument, "what was sent is not stored: {}", status.message());
}

class StagedFileUpload final : public FileUpload {
 public:
  StagedFileUpload(DatasetName name, Precondition precondition,
                   std::unique_ptr<StagedObject> staged, const UploadRequest& request,
                   const UploadLimits& limits, const UploadResources& resources,
                   const Caller& caller)
      : name_(std::move(name)),
        precondition_(std::move(precondition)),
        staged_(std::move(staged)),
        request_(request),
        limits_(limits),
        resources_(resources),
        caller_(caller) {}

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (caller_.activity) caller_.activity->bytes_in += length;
    ARROW_RETURN_NOT_OK(MakeRoomAfter(staged_->Append(bytes, length), *resources_.keeper));
    return resources_.rates->Pace(caller_, CallerRates::Direction::kIn, length);
  }

  arrow::Result<UploadResult> Commit() override {
    auto result = VerifyAndPublish();
    if (!result.ok()) return MakeRoomAfter(result.status(), *resources_.keeper);
    return result;
  }

 private:
  arrow::Result<UploadResult> VerifyAndPublish() {
    ARROW_RETURN_NOT_OK(staged_->Seal());
    ARROW_ASSIGN_OR_RAISE(auto sealed, staged_->OpenSealed());
    const auto reader = std::make_shared<DiskWatchedReader>(std::move(sealed));
    ARROW_ASSIGN_OR_RAISE(auto footer, Verify(reader));
    if (caller_.IsGone()) return CallerIsGone();
    if (caller_.activity) caller_.activity->rows_in += footer->rows;
    if (!request_.upload_id) return Publish(std::move(footer));
    // The id has no place in a file that is not to be changed: an upload that is sent again is
    // known by its bytes.
    const MutexLock lock(resources_.committed->MutexOf(name_, *request_.upload_id));
    const auto current = resources_.catalog->Open(name_, std::nullopt);
    if (current.ok() && HoldTheSame(*current->reader, *reader)) {
      return ResultOf(current->snapshot, /*repeated=*/true);
    }
    return Publish(std::move(footer));
  }

  arrow::Result<std::shared_ptr<const Footer>> Verify(
      const std::shared_ptr<DiskWatchedReader>& reader) const {
    auto footer = VerifyFile(reader);
    // The client would be told to mend what is right.
    if (KindOf(footer.status()) == ErrorKind::kInvalidArgument && reader->DiscardReadBytes()) {
      footer = VerifyFile(reader);
    }
    ARROW_RETURN_NOT_OK(footer.status());
    ARROW_RETURN_NOT_OK(CheckSchemaWithin(limits_, *(*footer)->logical_schema));
    if (request_.rows && *request_.rows != (*footer)->rows) {
      return Error(ErrorKind::kInvalidArgument,
                   "the upload was to have {} rows and the file has {}; nothing was stored",
                   *request_.rows, (*footer)->rows);
    }
    return footer;
  }

  arrow::Result<std::shared_ptr<const Footer>> VerifyFile(
      const std::shared_ptr<DiskWatchedReader>& reader) const {
    auto footer = ReadFooter(*reader);
    if (!footer.ok()) return NotStored(footer.status(), *reader);
    // A stretch of zeros in a footer ends it early, and what stood behind is lost.
    if ((*footer)->unread_bytes != 0) {
      return NotStored(MakeError(ErrorKind::kInvalidArgument, "its footer is damaged"), *reader);
    }
    const auto verified = VerifyPages(reader, **footer, resources_.workers, resources_.fetcher);
    if (!verified.ok()) return NotStored(verified, *reader);
    return footer;
  }

  arrow::Result<UploadResult> Publish(std::shared_ptr<const Footer> footer) {
    ARROW_ASSIGN_OR_RAISE(ObjectInfo object, staged_->Publish(name_.value(), precondition_));
    const Snapshot snapshot{std::move(object), std::move(footer), std::nullopt};
    resources_.catalog->Learn(snapshot.object, snapshot.footer);
    resources_.keeper->NoteRetired();
    return ResultOf(snapshot, /*repeated=*/false);
  }

  const DatasetName name_;
  const Precondition precondition_;
  const std::unique_ptr<StagedObject> staged_;
  const UploadRequest request_;
  const UploadLimits limits_;
  const UploadResources resources_;
  const Caller caller_;
};

arrow::Status CheckAsksForNoEncoding(const UploadRequest& request) {
  if (!request.codec && !request.level && !request.row_group_rows && request.encodings.empty()) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "a Parquet file is stored as it is: leave out the settings that say how to "
                   "encode it, or send rows instead");
}

}  // namespace

arrow::Result<std::unique_ptr<FileUpload>> BeginStagedFileUpload(const UploadResources& resources,
                                                                 const UploadLimits& limits,
                                                                 const Caller& caller,
                                                                 const UploadRequest& request) {
  ARROW_ASSIGN_OR_RAISE(DatasetName name, DatasetName::Parse(request.dataset));
  ARROW_ASSIGN_OR_RAISE(Precondition precondition, PreconditionOf(request));
  ARROW_RETURN_NOT_OK(CheckAsksForNoEncoding(request));
  if (request.upload_id) {
    ARROW_RETURN_NOT_OK(CommittedUploads::CheckId(*request.upload_id));
  } else {
    ARROW_RETURN_NOT_OK(CheckEarly(*resources.store, name, precondition));
  }
  // Every page of it is read back.
  auto staged = resources.store->Stage({.key = name.value(),
                                        .reads_back = ReadsBack::kAll,
                                        .memory_bytes = resources.memory->staging_bytes()});
  if (!staged.ok()) return MakeRoomAfter(staged.status(), *resources.keeper);
  return std::make_unique<StagedFileUpload>(std::move(name), std::move(precondition),
                                            LimitSize(*std::move(staged), limits.bytes), request,
                                            limits, resources, caller);
}

}  // namespace hangar
