#include "store/s3_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// How often a version may move in the time of one read: from its key to the past, and back when the
// same bytes are put again.
constexpr int kAttempts = 5;
// What is read of an object's end as it is opened: the footer of a few hundred column chunks. That
// of 1,000 objects, 32 at a time, took as long as 1 KiB of each (0.5 s from a Ceph on two cores).
constexpr int64_t kEndBytes = 64 << 10;

class S3Reader final : public ObjectReader {
 public:
  S3Reader(std::shared_ptr<const S3Bucket> bucket, ObjectInfo info, std::shared_ptr<S3Place> place,
           std::string end)
      : bucket_(std::move(bucket)),
        info_(std::move(info)),
        place_(std::move(place)),
        end_(std::make_shared<const std::string>(std::move(end))) {}

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    const auto end = End();
    const int64_t end_begin = info_.size_bytes - std::ssize(*end);
    const int64_t fetched = std::clamp<int64_t>(end_begin - offset, 0, length);
    ARROW_RETURN_NOT_OK(Fetch(offset, fetched, out));
    if (fetched == length) return arrow::Status::OK();
    std::memcpy(static_cast<char*>(out) + fetched, end->data() + (offset + fetched - end_begin),
                static_cast<size_t>(length - fetched));
    return arrow::Status::OK();
  }

  bool DiscardReadBytes() override HANGAR_EXCLUDES(mutex_) {
    bucket_->client().NoteDamaged(bucket_->Whole(place_->Get().first));
    const MutexLock lock(mutex_);
    end_ = std::make_shared<const std::string>();
    return true;
  }

 private:
  std::shared_ptr<const std::string> End() const HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return end_;
  }

  arrow::Status Fetch(int64_t offset, int64_t length, void* out) {
    if (length == 0) return arrow::Status::OK();
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      const auto [name, etag] = place_->Get();
      const auto status = bucket_->client().Read(bucket_->Whole(name), etag, offset, length, out);
      if (!IsGone(status)) return status;
      ARROW_RETURN_NOT_OK(Follow());
    }
    return Changed();
  }

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
  mutable Mutex mutex_;
  std::shared_ptr<const std::string> end_ HANGAR_GUARDED_BY(mutex_);  // Of the object.
};

}  // namespace

std::unique_ptr<ObjectReader> OpenS3Object(std::shared_ptr<const S3Bucket> bucket, ObjectInfo info,
                                           std::shared_ptr<S3Place> place, std::string end) {
  return std::make_unique<S3Reader>(std::move(bucket), std::move(info), std::move(place),
                                    std::move(end));
}

arrow::Result<std::unique_ptr<ObjectReader>> OpenS3ObjectWithEnd(
    std::shared_ptr<const S3Bucket> bucket, const std::string& key) {
  std::string end;
  const auto object = bucket->client().ReadEnd(bucket->Whole(key), kEndBytes, &end);
  if (KindOf(object.status()) == ErrorKind::kNotFound) return NoSuchObject(key);
  ARROW_RETURN_NOT_OK(object.status());
  if (IsTombstone(*object)) return NoSuchObject(key);
  auto place = std::make_shared<S3Place>(key, object->etag);
  return OpenS3Object(std::move(bucket), InfoOf(key, *object), std::move(place), std::move(end));
}

}  // namespace hangar
