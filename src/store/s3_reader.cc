#include "store/s3_reader.h"

#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// How often a version may move in the time of one read: from its key to the past, and back when the
// same bytes are put again.
constexpr int kAttempts = 5;

class S3Reader final : public ObjectReader {
 public:
  S3Reader(std::shared_ptr<const S3Bucket> bucket, ObjectInfo info, std::shared_ptr<S3Place> place)
      : bucket_(std::move(bucket)), info_(std::move(info)), place_(std::move(place)) {}

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    if (length == 0) return arrow::Status::OK();
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const auto [name, etag] = place_->Get();
      const auto status = bucket_->client().Read(bucket_->Whole(name), etag, offset, length, out);
      if (!IsGone(status)) return status;
      ARROW_RETURN_NOT_OK(Follow());
    }
    return Changed();
  }

 private:
  static bool IsGone(const arrow::Status& status) {
    const ErrorKind kind = KindOf(status);
    return !status.ok() && (kind == ErrorKind::kNotFound || kind == ErrorKind::kFailedPrecondition);
  }

  arrow::Status Changed() const {
    return Error(ErrorKind::kNotFound,
                 "{} changed while it was read, and what it was is kept no longer: ask again",
                 Quoted(info_.key));
  }

  // To where the version stands now.
  arrow::Status Follow() {
    if (info_.key.empty()) return Changed();
    const auto past = S3History(bucket_).FindCopy(info_.key, info_.version);
    if (past.ok()) {
      place_->Move(past->name, past->etag);
      return arrow::Status::OK();
    }
    if (KindOf(past.status()) != ErrorKind::kNotFound) return past.status();
    ARROW_ASSIGN_OR_RAISE(const auto current, bucket_->Find(info_.key));
    if (!current || current->version != info_.version) return Changed();
    place_->Move(info_.key, info_.version);
    return arrow::Status::OK();
  }

  const std::shared_ptr<const S3Bucket> bucket_;
  const ObjectInfo info_;
  const std::shared_ptr<S3Place> place_;
};

}  // namespace

std::unique_ptr<ObjectReader> OpenS3Object(std::shared_ptr<const S3Bucket> bucket, ObjectInfo info,
                                           std::shared_ptr<S3Place> place) {
  return std::make_unique<S3Reader>(std::move(bucket), std::move(info), std::move(place));
}

}  // namespace hangar
