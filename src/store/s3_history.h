#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_layout.h"

namespace hangar {

/// A past version as it stands in the bucket.
struct S3PastObject {
  RetiredObject retired;
  std::string name;  ///< Below the prefix, as the key of an object.
  std::string etag;  ///< Of the copy; a store may give a copy another one than the original has.
};

/// What was replaced and dropped, as copies beside the datasets. A copy is made before the change
/// that makes it past, so that a crash leaves one too many, never one too few; one of what is still
/// current does not count. Thread-safe, and between processes.
class S3History {
 public:
  explicit S3History(std::shared_ptr<const S3Bucket> bucket) : bucket_(std::move(bucket)) {}

  /// Copies the object at `info.key`, which has to be the one of that version still, and gives the
  /// copy's name. NOT_FOUND or FAILED_PRECONDITION when it is not.
  arrow::Result<std::string> Add(const ObjectInfo& info, RetiredBy by) const;
  /// Takes back what Add made.
  arrow::Status Remove(const std::string& name) const;
  /// Says that what Add made lives on under another name, so that nothing brings it back.
  arrow::Status MarkMoved(const std::string& key, const std::string& name) const;

  /// All of a key, the latest first.
  arrow::Result<std::vector<S3PastObject>> List(const std::string& key) const;
  /// A copy of that version to read from, be it past or not; NOT_FOUND when there is none.
  arrow::Result<S3PastObject> FindCopy(const std::string& key, const std::string& version) const;
  /// The latest of that version; NOT_FOUND when there is none.
  arrow::Result<S3PastObject> Find(const std::string& key, const std::string& version) const;
  arrow::Status Hold(const std::string& key, const std::string& version, Timestamp until) const;
  /// Unless it was held for longer than `retired` knows. A hold that comes in the same instant can
  /// be too late, which is then told to whoever asks for it.
  arrow::Status Purge(const RetiredObject& retired) const;

  /// Keys that begin with `options.prefix` and come after `options.after`.
  std::unique_ptr<KeyLister> ListKeys(const ListOptions& options) const;

 private:
  // Every entry, with those of what is current.
  arrow::Result<std::vector<S3PastObject>> ListAll(const std::string& key) const;
  arrow::Result<std::vector<S3Object>> ObjectsOf(const std::string& key) const;
  std::string FolderOf(const std::string& key) const;

  const std::shared_ptr<const S3Bucket> bucket_;
};

}  // namespace hangar
