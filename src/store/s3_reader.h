#pragma once

#include <memory>
#include <string>
#include <utility>

#include <arrow/result.h>

#include "base/mutex.h"
#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_history.h"

namespace hangar {

/// Where the bytes of a version stand now; it may move while they are read. Thread-safe.
class S3Place {
 public:
  S3Place(std::string name, std::string etag) : name_(std::move(name)), etag_(std::move(etag)) {}

  /// Below the bucket's prefix, and the ETag that it has there.
  std::pair<std::string, std::string> Get() const HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return {name_, etag_};
  }
  void Move(std::string name, std::string etag) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    name_ = std::move(name);
    etag_ = std::move(etag);
  }

 private:
  mutable Mutex mutex_;
  std::string name_ HANGAR_GUARDED_BY(mutex_);
  std::string etag_ HANGAR_GUARDED_BY(mutex_);
};

/// Reads one version by ranges, each bound to its ETag: bytes of another one never come. Once it
/// was replaced or dropped it goes on in the history, where there is one; else NOT_FOUND, saying
/// that the dataset changed. `info.key` empty: of an object that is not published yet. `end` is as
/// much of the version's last bytes as is known already.
std::unique_ptr<ObjectReader> OpenS3Object(std::shared_ptr<const S3Bucket> bucket, ObjectInfo info,
                                           std::shared_ptr<S3Place> place, std::string end = {});

/// Opens what is at the key and reads its end, in one request. NOT_FOUND when nothing is there.
arrow::Result<std::unique_ptr<ObjectReader>> OpenS3ObjectWithEnd(
    std::shared_ptr<const S3Bucket> bucket, const std::string& key);

}  // namespace hangar
