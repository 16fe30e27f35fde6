#include "store/s3_part_sender.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "base/error.h"
#include "s3/md5.h"
#include "store/object_store.h"
#include "store/s3_layout.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

constexpr int64_t kFirstBufferBytes = 64 << 10;

arrow::Status NoMemory() {
  return MakeError(ErrorKind::kResourceExhausted,
                   "the server has no memory left for the upload; try again");
}

}  // namespace

S3PartSender::S3PartSender(std::shared_ptr<const S3Bucket> bucket, std::string name,
                           int64_t memory_bytes, bool keeps_end)
    : bucket_(std::move(bucket)),
      name_(std::move(name)),
      memory_bytes_(memory_bytes),
      keeps_end_(keeps_end) {}

S3PartSender::~S3PartSender() {
  for (Sending& sending : sending_) sending.part.wait();
  if (upload_) std::ignore = bucket_->client().AbortUpload(bucket_->Whole(name_), *upload_);
}

size_t S3PartSender::BuffersMax() const {
  const int64_t fit = (memory_bytes_ - kReadBackBytesMin) / S3PartBytes(parts_begun_);
  return static_cast<size_t>(std::clamp<int64_t>(fit, 1, kS3PartBuffersMax));
}

arrow::Status S3PartSender::Append(const void* bytes, int64_t length) {
  const auto* next = static_cast<const char*>(bytes);
  while (length > 0) {
    if (part_ && part_->size() == S3PartBytes(parts_begun_)) ARROW_RETURN_NOT_OK(SendPart());
    ARROW_RETURN_NOT_OK(MakeRoom(length));
    const int64_t filled = part_->size();
    const int64_t taken = std::min(part_->capacity() - filled, length);
    const int64_t fits = std::min(taken, S3PartBytes(parts_begun_) - filled);
    ARROW_RETURN_NOT_OK(part_->Resize(filled + fits, /*shrink_to_fit=*/false));
    std::memcpy(part_->mutable_data() + filled, next, static_cast<size_t>(fits));
    size_bytes_ += fits;
    next += fits;
    length -= fits;
  }
  return arrow::Status::OK();
}

// Lets part_ have room for a byte at least. The first part grows with what comes, as most objects
// are small; those that follow one are as large.
arrow::Status S3PartSender::MakeRoom(int64_t length) {
  const int64_t part_bytes = S3PartBytes(parts_begun_);
  if (parts_begun_ > 0) return part_ ? arrow::Status::OK() : TakeBuffer(part_bytes);
  if (!part_) return TakeBuffer(std::clamp(length, kFirstBufferBytes, part_bytes));
  if (part_->size() < part_->capacity()) return arrow::Status::OK();
  const int64_t wanted = std::max(part_->capacity() * 2, part_->size() + length);
  return part_->Reserve(std::min(wanted, part_bytes)).ok() ? arrow::Status::OK() : NoMemory();
}

// Gives part_ an empty buffer. Where there is no memory for it, the next one that was sent will do.
arrow::Status S3PartSender::TakeBuffer(int64_t bytes) {
  while (true) {
    while (sending_.size() >= BuffersMax()) ARROW_RETURN_NOT_OK(AwaitPart());
    std::unique_ptr<arrow::ResizableBuffer> buffer;
    if (!free_.empty()) {
      buffer = std::move(free_.back());
      free_.pop_back();
      ARROW_RETURN_NOT_OK(buffer->Resize(0, /*shrink_to_fit=*/false));
    } else if (auto made = arrow::AllocateResizableBuffer(0); made.ok()) {
      buffer = *std::move(made);
    }
    if (buffer && buffer->Reserve(bytes).ok()) {
      part_ = std::move(buffer);
      return arrow::Status::OK();
    }
    if (free_.empty() && sending_.empty()) return NoMemory();
    if (free_.empty()) ARROW_RETURN_NOT_OK(AwaitPart());
  }
}

arrow::Status S3PartSender::SendPart() {
  if (!upload_) {
    ARROW_ASSIGN_OR_RAISE(upload_, bucket_->client().BeginUpload(bucket_->Whole(name_)));
  }
  const std::string_view bytes(*part_);
  if (keeps_end_) ARROW_RETURN_NOT_OK(KeepEnd(bytes));
  // One that fits beside the others only once one of them was sent.
  while (sending_.size() >= BuffersMax()) ARROW_RETURN_NOT_OK(AwaitPart());
  const int number = ++parts_begun_;
  sending_.push_back(
      {.bytes = std::move(part_), .part = std::async(std::launch::async, [this, number, bytes] {
                                    return bucket_->client().UploadPart(bucket_->Whole(name_),
                                                                        *upload_, number, bytes);
                                  })});
  return arrow::Status::OK();
}

arrow::Status S3PartSender::AwaitPart() {
  auto part = sending_.front().part.get();
  free_.push_back(std::move(sending_.front().bytes));
  sending_.pop_front();
  ARROW_RETURN_NOT_OK(part.status());
  parts_.push_back(*std::move(part));
  return arrow::Status::OK();
}

// `part` is the end of what has come.
arrow::Status S3PartSender::KeepEnd(std::string_view part) {
  const int64_t part_begin = size_bytes_ - static_cast<int64_t>(part.size());
  const int64_t keep_from = end_begin_.value_or(size_bytes_) - kReadBackBytesMin;
  if (keep_from >= part_begin) {
    kept_.Rewind(0);
    part.remove_prefix(static_cast<size_t>(keep_from - part_begin));
  }
  const auto kept = kept_.Append(part.data(), static_cast<int64_t>(part.size()));
  return kept.ok() ? kept : NoMemory();
}

arrow::Status S3PartSender::Finish() {
  if (!upload_) {
    ARROW_ASSIGN_OR_RAISE(auto empty, arrow::AllocateBuffer(0));
    whole_ = part_ ? std::shared_ptr<arrow::Buffer>(std::move(part_)) : std::move(empty);
    end_ = whole_;
    return arrow::Status::OK();
  }
  if (part_ && part_->size() > 0) ARROW_RETURN_NOT_OK(SendPart());
  while (!sending_.empty()) ARROW_RETURN_NOT_OK(AwaitPart());
  free_.clear();
  if (!keeps_end_) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(end_, kept_.Finish());
  return arrow::Status::OK();
}

std::string S3PartSender::etag() const {
  if (whole_) return Hexadecimal(Md5Of(std::string_view(*whole_)));
  return MultipartETag(parts_).value_or("");
}

arrow::Result<S3Object> S3PartSender::Complete(const S3Condition& condition) {
  const auto used_up = [] {
    return MakeError(ErrorKind::kUnavailable,
                     "the upload met another change of the dataset; send it again");
  };
  // It stood there, and a deletion that was on its way to what stood there before took it away.
  if (is_completed_) return used_up();
  auto made = bucket_->client().CompleteUpload(bucket_->Whole(name_), *upload_, parts_, condition);
  if (!made.ok()) {
    // Some stores end an upload that met a conflict.
    return KindOf(made.status()) == ErrorKind::kNotFound ? used_up() : made.status();
  }
  is_completed_ = true;
  upload_.reset();
  made->size_bytes = size_bytes_;  // The answer does not tell it.
  return made;
}

}  // namespace hangar
