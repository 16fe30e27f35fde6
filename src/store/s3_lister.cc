#include "store/s3_lister.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>

#include "store/s3_layout.h"

namespace hangar {
namespace {

// Our own folder stands in the middle of the keys; after it comes what sorts behind '/'.
constexpr std::string_view kOwn = "_hangar/";
constexpr std::string_view kAfterOwn = "_hangar0";

class S3Lister final : public ObjectLister {
 public:
  S3Lister(std::shared_ptr<const S3Bucket> bucket, ListOptions options)
      : bucket_(std::move(bucket)), options_(std::move(options)) {
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
  arrow::Status FetchPage() {
    ARROW_ASSIGN_OR_RAISE(S3Listing listing, bucket_->client().List(request_));
    for (const S3Object& object : listing.objects) {
      std::string key = bucket_->KeyOf(object.key);
      if (IsS3Dataset(key) && key > options_.after && !IsTombstone(object))
        found_.push_back(InfoOf(key, object));
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
  S3ListRequest request_;
  std::deque<ObjectInfo> found_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<ObjectLister> ListS3Objects(std::shared_ptr<const S3Bucket> bucket,
                                            const ListOptions& options) {
  return std::make_unique<S3Lister>(std::move(bucket), options);
}

}  // namespace hangar
