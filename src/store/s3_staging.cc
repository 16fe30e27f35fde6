#include "store/s3_staging.h"

#include <chrono>
#include <cstring>
#include <format>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <arrow/buffer.h>

#include "base/clock.h"
#include "base/error.h"
#include "store/s3_layout.h"
#include "store/s3_part_sender.h"
#include "store/s3_reader.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

constexpr std::chrono::hours kAbandonedAfter{24};

std::string NewStagingName() {
  std::random_device random;
  std::string name(kS3Staging);
  for (int i = 0; i < 4; ++i) name += std::format("{:08x}", random());
  return name;
}

// Reads the last bytes of what is staged, or all of it, from memory.
class EndReader final : public ObjectReader {
 public:
  EndReader(std::shared_ptr<const arrow::Buffer> end, ObjectInfo info)
      : end_(std::move(end)), info_(std::move(info)) {}

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    const int64_t begin = info_.size_bytes - end_->size();
    if (length == 0) return arrow::Status::OK();
    if (offset < begin) return UsedOutOfOrder("read where nothing was kept of it");
    std::memcpy(out, end_->data() + (offset - begin), static_cast<size_t>(length));
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<const arrow::Buffer> end_;
  const ObjectInfo info_;
};

// What both ways to the key have in common. The upload is given back before the rest goes.
class S3StagedObject : public StagedObject {
 public:
  S3StagedObject(std::shared_ptr<const S3Bucket> bucket, std::shared_ptr<const S3Changes> changes,
                 std::string name, const StageOptions& options, bool keeps_end)
      : bucket_(std::move(bucket)),
        changes_(std::move(changes)),
        upload_(bucket_, std::move(name), options.memory_bytes, keeps_end) {}

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (sealed_) return UsedOutOfOrder("written to after it was sealed");
    return upload_.Append(bytes, length);
  }

  int64_t size_bytes() const override { return upload_.size_bytes(); }
  void BeginEnd() override { upload_.BeginEnd(); }

  arrow::Status Seal() override {
    if (sealed_) return UsedOutOfOrder("sealed twice");
    ARROW_RETURN_NOT_OK(upload_.Finish());
    ObjectInfo sealed{.key = {},
                      .version = upload_.etag(),
                      .size_bytes = upload_.size_bytes(),
                      .modified = Now()};
    if (upload_.has_parts()) ARROW_RETURN_NOT_OK(SealParts(&sealed));
    sealed_ = std::move(sealed);
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    if (!sealed_) return UsedOutOfOrder("read before it was sealed");
    if (upload_.whole()) return std::make_unique<EndReader>(upload_.whole(), *sealed_);
    return OpenParts();
  }

  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    if (!sealed_ || published_) return UsedOutOfOrder("published unsealed or twice");
    if (!upload_.whole()) ARROW_RETURN_NOT_OK(CheckKeyOfParts(key));
    auto published = changes_->Replace(key, precondition, [&](const S3Condition& condition) {
      if (!upload_.whole()) return PublishParts(key, condition);
      return bucket_->client().Write(bucket_->Whole(key), std::string_view(*upload_.whole()),
                                     condition);
    });
    ARROW_RETURN_NOT_OK(published.status());
    published_ = true;
    if (!upload_.whole()) PartsArePublished(*published);
    return published;
  }

 protected:
  // Of an object of more than one part.
  virtual arrow::Status SealParts(ObjectInfo* sealed) = 0;
  virtual arrow::Result<std::unique_ptr<ObjectReader>> OpenParts() = 0;
  virtual arrow::Status CheckKeyOfParts(const std::string& key) const = 0;
  virtual arrow::Result<S3Object> PublishParts(const std::string& key,
                                               const S3Condition& condition) = 0;
  virtual void PartsArePublished(const ObjectInfo& published) = 0;

  const S3Bucket& bucket() const { return *bucket_; }
  const std::shared_ptr<const S3Bucket>& shared_bucket() const { return bucket_; }
  const ObjectInfo& sealed() const { return *sealed_; }
  S3PartSender& upload() { return upload_; }
  const S3PartSender& upload() const { return upload_; }

 private:
  const std::shared_ptr<const S3Bucket> bucket_;
  const std::shared_ptr<const S3Changes> changes_;
  S3PartSender upload_;
  std::optional<ObjectInfo> sealed_;
  bool published_ = false;
};

// Its parts wait at the key.
class AtItsKey final : public S3StagedObject {
 public:
  using S3StagedObject::S3StagedObject;

 private:
  arrow::Status SealParts(ObjectInfo* /*sealed*/) override { return arrow::Status::OK(); }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenParts() override {
    return std::make_unique<EndReader>(upload().end(), sealed());
  }
  arrow::Status CheckKeyOfParts(const std::string& key) const override {
    if (key == upload().name()) return arrow::Status::OK();
    return UsedOutOfOrder("published at another key than that where it grew");
  }
  arrow::Result<S3Object> PublishParts(const std::string& /*key*/,
                                       const S3Condition& condition) override {
    return upload().Complete(condition);
  }
  void PartsArePublished(const ObjectInfo& /*published*/) override {}
};

// Once sealed it is an object of its own, in staging.
class AtItsOwnName final : public S3StagedObject {
 public:
  using S3StagedObject::S3StagedObject;

  ~AtItsOwnName() override {
    if (place_) std::ignore = bucket().client().Delete(bucket().Whole(upload().name()), {});
  }

 private:
  arrow::Status SealParts(ObjectInfo* sealed) override {
    ARROW_ASSIGN_OR_RAISE(const S3Object object, upload().Complete({}));
    place_ = std::make_shared<S3Place>(upload().name(), object.etag);
    sealed->version = object.etag;
    return arrow::Status::OK();
  }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenParts() override {
    return OpenS3Object(shared_bucket(), sealed(), place_);
  }
  arrow::Status CheckKeyOfParts(const std::string& /*key*/) const override {
    return arrow::Status::OK();
  }
  arrow::Result<S3Object> PublishParts(const std::string& key,
                                       const S3Condition& condition) override {
    return bucket().CopyUnder(condition, upload().name(), sealed(), sealed().version, key);
  }
  void PartsArePublished(const ObjectInfo& published) override {
    // Whoever reads what was sealed goes on at the key.
    place_->Move(published.key, published.version);
    place_.reset();
    std::ignore = bucket().client().Delete(bucket().Whole(upload().name()), {});  // Else swept.
  }

  std::shared_ptr<S3Place> place_;  // While there is something in staging.
};

}  // namespace

arrow::Result<std::unique_ptr<StagedObject>> StageS3Object(std::shared_ptr<const S3Bucket> bucket,
                                                           std::shared_ptr<const S3Changes> changes,
                                                           const StageOptions& options) {
  if (!options.key.empty()) ARROW_RETURN_NOT_OK(bucket->CheckLength(options.key));
  if (options.key.empty() || options.reads_back == ReadsBack::kAll) {
    return std::make_unique<AtItsOwnName>(std::move(bucket), std::move(changes), NewStagingName(),
                                          options, /*keeps_end=*/false);
  }
  return std::make_unique<AtItsKey>(std::move(bucket), std::move(changes), options.key, options,
                                    /*keeps_end=*/true);
}

StagingMemory S3StagingMemory() {
  const int64_t part_bytes = S3PartBytes(0);
  return {.least_bytes = 2 * part_bytes + kReadBackBytesMin,
          .most_bytes = kS3PartBuffersMax * part_bytes + kReadBackBytesMin};
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
