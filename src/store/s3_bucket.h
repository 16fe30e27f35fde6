#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>

#include "s3/s3_client.h"
#include "store/object_store.h"

namespace hangar {

/// What the parts of the S3 store share: the client, and how keys and errors of the one world are
/// said in the other. Thread-safe.
class S3Bucket {
 public:
  S3Bucket(std::shared_ptr<S3Client> client, std::string prefix)
      : client_(std::move(client)), prefix_(std::move(prefix)) {}

  S3Client& client() const { return *client_; }
  /// The object's name in the bucket.
  std::string Whole(std::string_view key) const { return prefix_ + std::string(key); }
  /// The key of an object's name in the bucket.
  std::string KeyOf(const std::string& whole) const { return whole.substr(prefix_.size()); }

  /// What is at the key, and the condition under which it still is.
  struct Current {
    std::optional<ObjectInfo> object;
    S3Condition condition;
    bool is_tombstone = false;
  };
  arrow::Result<Current> Look(const std::string& key) const;
  /// The object at the key, or nullopt.
  arrow::Result<std::optional<ObjectInfo>> Find(const std::string& key) const;

  /// The same object at `target`, made of the same parts, so that it has the same ETag where that
  /// can be; under the condition. `source` and `target` are keys, or other names below the prefix.
  arrow::Result<S3Object> CopyUnder(const S3Condition& condition, const std::string& source,
                                    const ObjectInfo& info, const std::string& source_etag,
                                    const std::string& target) const;

  /// INVALID_ARGUMENT when the names that the store makes of the key would be too long.
  arrow::Status CheckLength(const std::string& key) const;

 private:
  // For what is written again, where nothing would tell later that it was harmed on its way. The
  // ETag vouches for it; where that is no MD5, as of what other tools put there encrypted by keys
  // of their own, two reads that agree do.
  arrow::Result<std::string> ReadWhole(const std::string& whole, const std::string& etag,
                                       int64_t size_bytes) const;

  const std::shared_ptr<S3Client> client_;
  const std::string prefix_;
};

/// As an object of that key.
ObjectInfo InfoOf(const std::string& key, const S3Object& object);

/// See kS3Tombstone.
bool IsTombstone(const S3Object& object);

}  // namespace hangar
