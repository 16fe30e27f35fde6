#pragma once

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/buffer_builder.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "s3/s3_client.h"
#include "store/s3_bucket.h"

namespace hangar {

/// Parts of one object that are in memory at once, at most: one fills while the others are sent.
inline constexpr int kS3PartBuffersMax = 4;

/// Bytes on their way to an object: the first ones stay in memory, and once they are more than a
/// part they are sent as they come, several parts at a time, which the store holds unseen until the
/// upload is completed. Each part is sent with a checksum that the store verifies. Buffers are
/// Arrow's memory, and used again; where there is none left for another one, fewer parts are on
/// their way at once. One thread at a time. Destroying it before it was completed aborts it.
class S3PartSender {
 public:
  /// `name` is below the bucket's prefix. It holds about `memory_bytes` at most, but a part at
  /// least, and parts grow with the object. With `keeps_end` it holds what `end` gives, too.
  S3PartSender(std::shared_ptr<const S3Bucket> bucket, std::string name, int64_t memory_bytes,
               bool keeps_end);
  ~S3PartSender();
  S3PartSender(const S3PartSender&) = delete;
  S3PartSender& operator=(const S3PartSender&) = delete;

  /// RESOURCE_EXHAUSTED when there is no memory for a part. After any failure only destruction is
  /// left.
  arrow::Status Append(const void* bytes, int64_t length);
  /// What follows belongs to the end.
  void BeginEnd() { end_begin_ = size_bytes_; }
  /// After the last Append: returns once the store has all parts.
  arrow::Status Finish();

  const std::string& name() const { return name_; }
  int64_t size_bytes() const { return size_bytes_; }
  /// Whether it is more than a part. Otherwise all of it is in `whole` once it is finished, and
  /// nothing was sent.
  bool has_parts() const { return upload_.has_value() || is_completed_; }
  const std::shared_ptr<arrow::Buffer>& whole() const { return whole_; }
  /// Once it is finished: what follows BeginEnd and at least kReadBackBytesMin before that, or all.
  const std::shared_ptr<arrow::Buffer>& end() const { return end_; }
  /// The ETag that the object will have; empty where the store's are no checksums.
  std::string etag() const;

  /// Makes the object of the parts visible at `name`. FAILED_PRECONDITION leaves the upload as it
  /// was, where the store does; UNAVAILABLE where it did not.
  arrow::Result<S3Object> Complete(const S3Condition& condition);

 private:
  struct Sending {
    std::unique_ptr<arrow::ResizableBuffer> bytes;
    std::future<arrow::Result<S3Part>> part;
  };

  size_t BuffersMax() const;
  arrow::Status MakeRoom(int64_t length);
  arrow::Status TakeBuffer(int64_t bytes);
  arrow::Status SendPart();
  arrow::Status AwaitPart();
  arrow::Status KeepEnd(std::string_view part);

  const std::shared_ptr<const S3Bucket> bucket_;
  const std::string name_;
  const int64_t memory_bytes_;
  const bool keeps_end_;

  int64_t size_bytes_ = 0;
  std::unique_ptr<arrow::ResizableBuffer> part_;  // What has come and is not sent.
  std::vector<std::unique_ptr<arrow::ResizableBuffer>> free_;
  std::optional<std::string> upload_;
  int parts_begun_ = 0;
  std::deque<Sending> sending_;
  std::vector<S3Part> parts_;
  std::optional<int64_t> end_begin_;
  arrow::BufferBuilder kept_;  // The last bytes of the parts that were sent.
  std::shared_ptr<arrow::Buffer> whole_;
  std::shared_ptr<arrow::Buffer> end_;
  bool is_completed_ = false;
};

}  // namespace hangar
