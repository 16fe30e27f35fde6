#include "store/s3_lister.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "store/s3_layout.h"

namespace hangar {
namespace {

// Our own folder stands in the middle of the keys; after it comes what sorts behind '/'.
constexpr std::string_view kOwn = "_hangar/";
constexpr std::string_view kAfterOwn = "_hangar0";

// How long a tombstone may be one of a drop that goes on.
constexpr std::chrono::minutes kDropTakes{1};

class S3Lister final : public ObjectLister {
 public:
  S3Lister(std::shared_ptr<const S3Bucket> bucket, ListOptions options, bool sweeps_tombstones)
      : bucket_(std::move(bucket)),
        options_(std::move(options)),
        sweeps_tombstones_(sweeps_tombstones) {
    request_.prefix = bucket_->Whole(options_.prefix);
    if (!options_.after.empty()) request_.start_after = bucket_->Whole(options_.after);
  }

  arrow::Result<std::optional<ObjectInfo>> Next() override {
    while (found_.empty() && !ended_) ARROW_RETURN_NOT_OK(FetchPage());
    if (found_.empty()) return std::nullopt;
    ObjectInfo info = std::move(found_.front());
    found_.pop_front();
    return info;
  }

 private:
  // Of a drop that ended half way. Whoever writes over a tombstone sees to it that a deletion of it
  // does no harm, and the store holds this one to what it is of.
  void SweepTombstone(const S3Object& object) {
    if (object.modified > Now() - kDropTakes) return;
    std::ignore = bucket_->client().Delete(object.key,
                                           {.kind = S3Condition::Kind::kETag, .etag = object.etag});
  }

  arrow::Status FetchPage() {
    ARROW_ASSIGN_OR_RAISE(S3Listing listing, bucket_->client().List(request_));
    for (const S3Object& object : listing.objects) {
      std::string key = bucket_->KeyOf(object.key);
      if (!IsS3Dataset(key) || key <= options_.after) continue;
      if (IsTombstone(object)) {
        if (sweeps_tombstones_) SweepTombstone(object);
      } else {
        found_.push_back(InfoOf(key, object));
      }
    }
    ended_ = !listing.next_page;
    request_.page = std::move(listing.next_page);
    // What is kept of the past may be more than what there is: it is passed over in one step.
    if (!ended_ && !listing.objects.empty() &&
        bucket_->KeyOf(listing.objects.back().key).starts_with(kOwn)) {
      request_.page.reset();
      request_.start_after = bucket_->Whole(kAfterOwn);
    }
    return arrow::Status::OK();
  }

  const std::shared_ptr<const S3Bucket> bucket_;
  const ListOptions options_;
  const bool sweeps_tombstones_;
  S3ListRequest request_;
  std::deque<ObjectInfo> found_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ObjectLister> ListS3Objects(std::shared_ptr<const S3Bucket> bucket,
                                            const ListOptions& options, bool sweeps_tombstones) {
  return std::make_unique<S3Lister>(std::move(bucket), options, sweeps_tombstones);
}

}  // namespace hangar
