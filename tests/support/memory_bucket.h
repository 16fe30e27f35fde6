#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "s3/s3_client.h"

namespace hangar {

/// A bucket in memory, for tests of what stands on one: it does what s3/s3_client.h says. Each call
/// is one step, and can be made to fail. Thread-safe.
class MemoryBucket : public S3Client {
 public:
  struct Options {
    /// False: conditions of writes are not looked at, as by stores that do not know them.
    bool keeps_conditions = true;
    /// Likewise, of uploads in parts alone.
    bool keeps_conditions_of_uploads = true;
    bool keeps_versions = false;
  };
  /// A call: the name of the method, and the key that it changes or reads.
  using Hook = std::function<arrow::Status(std::string_view method, const std::string& key)>;

  MemoryBucket() = default;
  explicit MemoryBucket(const Options& options) : options_(options) {}

  /// Asked before each call, which then fails and does nothing.
  void FailBefore(Hook hook) HANGAR_EXCLUDES(mutex_);
  /// Asked after each call that went well: it has been done, and the answer is lost.
  void FailAfter(Hook hook) HANGAR_EXCLUDES(mutex_);
  /// As if everything there had been made and begun earlier by so much.
  void Age(std::chrono::nanoseconds time) HANGAR_EXCLUDES(mutex_);
  std::vector<std::string> Keys() HANGAR_EXCLUDES(mutex_);
  /// How often NoteDamaged was called.
  int damaged() HANGAR_EXCLUDES(mutex_);

  arrow::Result<S3Object> Head(const std::string& key) override;
  arrow::Status Read(const std::string& key, const std::string& etag, int64_t offset,
                     int64_t length, void* out) override;
  void NoteDamaged(const std::string& key) override;
  arrow::Result<S3Object> ReadEnd(const std::string& key, int64_t length,
                                  std::string* out) override;
  arrow::Result<S3Object> Write(const std::string& key, std::string_view bytes,
                                const S3Condition& condition) override;
  arrow::Result<std::string> BeginUpload(const std::string& key) override;
  arrow::Result<S3Part> UploadPart(const std::string& key, const std::string& upload_id, int number,
                                   std::string_view bytes) override;
  arrow::Result<S3Part> UploadPartCopy(const std::string& key, const std::string& upload_id,
                                       int number, const std::string& source,
                                       const std::string& source_etag, int64_t offset,
                                       int64_t length) override;
  arrow::Result<S3Object> CompleteUpload(const std::string& key, const std::string& upload_id,
                                         const std::vector<S3Part>& parts,
                                         const S3Condition& condition) override;
  arrow::Status AbortUpload(const std::string& key, const std::string& upload_id) override;
  arrow::Result<std::vector<S3Upload>> ListUploads(const std::string& prefix) override;
  arrow::Result<S3Object> Copy(const std::string& source, const std::string& source_etag,
                               const std::string& target) override;
  arrow::Status Delete(const std::string& key, const S3Condition& condition) override;
  arrow::Result<S3Listing> List(const S3ListRequest& request) override;
  arrow::Result<std::string> BucketVersioning() override;

 private:
  struct Stored {
    S3Object object;
    std::shared_ptr<const std::string> bytes;
  };
  struct Growing {
    std::string key;
    Timestamp begun{};
    std::map<int, std::string> parts;
  };
  // Does `work`, under the mutex, between the two hooks.
  template <typename Work>
  auto Step(std::string_view method, const std::string& key, Work work) HANGAR_EXCLUDES(mutex_);

  arrow::Result<Stored> Get(const std::string& key) HANGAR_REQUIRES(mutex_);
  arrow::Result<Growing*> GetUpload(const std::string& upload_id) HANGAR_REQUIRES(mutex_);
  arrow::Status Check(const std::string& key, const S3Condition& condition) HANGAR_REQUIRES(mutex_);
  S3Object Put(const std::string& key, std::string bytes, std::string etag) HANGAR_REQUIRES(mutex_);

  const Options options_;
  Mutex mutex_;
  Hook before_ HANGAR_GUARDED_BY(mutex_);
  Hook after_ HANGAR_GUARDED_BY(mutex_);
  std::map<std::string, Stored> objects_ HANGAR_GUARDED_BY(mutex_);
  std::map<std::string, Growing> uploads_ HANGAR_GUARDED_BY(mutex_);
  int64_t last_id_ HANGAR_GUARDED_BY(mutex_) = 0;
  int damaged_ HANGAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace hangar
