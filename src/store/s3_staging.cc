#include "store/s3_staging.h"

#include <chrono>
#include <cstring>
#include <deque>
#include <format>
#include <future>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "store/s3_layout.h"
#include "store/s3_reader.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

constexpr std::chrono::hours kAbandonedAfter{24};
// Parts on their way at once. A part that is larger than the first ones goes alone.
constexpr size_t kPartsUnderWay = 3;

std::string NewStagingName() {
  std::random_device random;
  std::string name(kS3Staging);
  for (int i = 0; i < 4; ++i) name += std::format("{:08x}", random());
  return name;
}

// What is staged and small: its bytes.
class BytesReader final : public ObjectReader {
 public:
  BytesReader(std::shared_ptr<const std::string> bytes, ObjectInfo info)
      : bytes_(std::move(bytes)), info_(std::move(info)) {}

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    if (length > 0) std::memcpy(out, bytes_->data() + offset, static_cast<size_t>(length));
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
  const ObjectInfo info_;
};

class S3StagedObject final : public StagedObject {
 public:
  S3StagedObject(std::shared_ptr<const S3Bucket> bucket, std::shared_ptr<const S3Changes> changes)
      : bucket_(std::move(bucket)), changes_(std::move(changes)) {}

  ~S3StagedObject() override {
    sending_.clear();  // Waits for each.
    if (upload_) std::ignore = bucket_->client().AbortUpload(bucket_->Whole(name_), *upload_);
    if (place_) std::ignore = bucket_->client().Delete(bucket_->Whole(name_), {});
  }

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (sealed_) return UsedOutOfOrder("written to after it was sealed");
    const auto* next = static_cast<const char*>(bytes);
    size_bytes_ += length;
    while (length > 0) {
      if (static_cast<int64_t>(part_.size()) == S3PartBytes(parts_begun_)) {
        ARROW_RETURN_NOT_OK(SendPart());
      }
      const int64_t room = S3PartBytes(parts_begun_) - static_cast<int64_t>(part_.size());
      const int64_t taken = std::min(room, length);
      part_.append(next, static_cast<size_t>(taken));
      next += taken;
      length -= taken;
    }
    return arrow::Status::OK();
  }

  int64_t size_bytes() const override { return size_bytes_; }

  arrow::Status Seal() override {
    if (sealed_) return UsedOutOfOrder("sealed twice");
    if (!upload_) {
      small_ = std::make_shared<const std::string>(std::move(part_));
      sealed_ = ObjectInfo{.key = {}, .version = {}, .size_bytes = size_bytes_, .modified = Now()};
      return arrow::Status::OK();
    }
    ARROW_RETURN_NOT_OK(SendPart());
    while (!sending_.empty()) ARROW_RETURN_NOT_OK(AwaitPart());
    ARROW_ASSIGN_OR_RAISE(
        const S3Object object,
        bucket_->client().CompleteUpload(bucket_->Whole(name_), *upload_, parts_, S3Condition{}));
    upload_.reset();
    place_ = std::make_shared<S3Place>(name_, object.etag);
    sealed_ = InfoOf("", object);
    sealed_->size_bytes = size_bytes_;  // The answer does not tell it.
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    if (!sealed_) return UsedOutOfOrder("read before it was sealed");
    if (small_) return std::make_unique<BytesReader>(small_, *sealed_);
    return OpenS3Object(bucket_, *sealed_, place_);
  }

  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    if (!sealed_ || published_) return UsedOutOfOrder("published unsealed or twice");
    auto published = changes_->Replace(key, precondition, [&](const S3Condition& condition) {
      if (small_) return bucket_->client().Write(bucket_->Whole(key), *small_, condition);
      return bucket_->CopyUnder(condition, name_, *sealed_, place_->Get().second, key);
    });
    ARROW_RETURN_NOT_OK(published.status());
    published_ = true;
    if (place_) {
      // Whoever reads what was sealed goes on at the key.
      place_->Move(key, published->version);
      std::ignore = bucket_->client().Delete(bucket_->Whole(name_), {});  // Else it is swept.
      place_.reset();
    }
    return published;
  }

 private:
  // Sends what has come as a part, once there are not too many under way.
  arrow::Status SendPart() {
    if (!upload_) {
      name_ = NewStagingName();
      ARROW_ASSIGN_OR_RAISE(upload_, bucket_->client().BeginUpload(bucket_->Whole(name_)));
    }
    const size_t most = part_.size() > static_cast<size_t>(S3PartBytes(0)) ? 1 : kPartsUnderWay;
    while (sending_.size() >= most) ARROW_RETURN_NOT_OK(AwaitPart());
    const int number = ++parts_begun_;
    sending_.push_back(std::async(
        std::launch::async, [bucket = bucket_, name = bucket_->Whole(name_), upload = *upload_,
                             number, bytes = std::exchange(part_, {})] {
          return bucket->client().UploadPart(name, upload, number, bytes);
        }));
    return arrow::Status::OK();
  }

  arrow::Status AwaitPart() {
    auto sent = std::move(sending_.front());
    sending_.pop_front();
    ARROW_ASSIGN_OR_RAISE(S3Part part, sent.get());
    parts_.push_back(std::move(part));
    return arrow::Status::OK();
  }

  const std::shared_ptr<const S3Bucket> bucket_;
  const std::shared_ptr<const S3Changes> changes_;
  std::string part_;  // What has come and is not sent.
  int64_t size_bytes_ = 0;
  int parts_begun_ = 0;
  std::string name_;  // Of the staged object, once there is more than a part.
  std::optional<std::string> upload_;
  std::deque<std::future<arrow::Result<S3Part>>> sending_;
  std::vector<S3Part> parts_;
  std::optional<ObjectInfo> sealed_;
  std::shared_ptr<const std::string> small_;
  std::shared_ptr<S3Place> place_;
  bool published_ = false;
};

}  // namespace

std::unique_ptr<StagedObject> StageS3Object(std::shared_ptr<const S3Bucket> bucket,
                                            std::shared_ptr<const S3Changes> changes) {
  return std::make_unique<S3StagedObject>(std::move(bucket), std::move(changes));
}

arrow::Result<SweepReport> SweepS3Staging(const S3Bucket& bucket) {
  SweepReport report;
  const Timestamp abandoned = Now() - kAbandonedAfter;
  S3ListRequest request{.prefix = bucket.Whole(kS3Staging)};
  do {
    ARROW_ASSIGN_OR_RAISE(S3Listing listing, bucket.client().List(request));
    for (const S3Object& object : listing.objects) {
      if (object.modified > abandoned) continue;
      ARROW_RETURN_NOT_OK(bucket.client().Delete(object.key, {}));
      ++report.removed_objects;
      report.removed_bytes += object.size_bytes;
    }
    request.page = std::move(listing.next_page);
  } while (request.page);
  ARROW_ASSIGN_OR_RAISE(const auto uploads, bucket.client().ListUploads(bucket.Whole("")));
  for (const S3Upload& upload : uploads) {
    if (upload.begun > abandoned) continue;
    ARROW_RETURN_NOT_OK(bucket.client().AbortUpload(upload.key, upload.upload_id));
    ++report.removed_objects;
  }
  return report;
}

}  // namespace hangar
