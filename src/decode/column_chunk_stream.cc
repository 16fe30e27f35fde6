#include "decode/column_chunk_stream.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>

namespace hangar {
namespace {

// Read at first, when the size of pages is not known yet, and at least.
constexpr int64_t kWindowBytesMin = 64 * 1024;
// Pages larger than this are read in two parts, the second one of exact size.
constexpr int64_t kWindowBytesMax = 2 * 1024 * 1024;
// For the header of the next page, which stands behind the body of this one.
constexpr int64_t kHeaderBytes = 1024;

class ColumnChunkStream final : public arrow::io::InputStream {
 public:
  ColumnChunkStream(std::shared_ptr<ObjectReader> reader, int64_t offset, int64_t length,
                    arrow::MemoryPool* pool)
      : reader_(std::move(reader)), begin_(offset), end_(offset + length), pool_(pool) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_ - begin_; }

  arrow::Result<std::string_view> Peek(int64_t bytes) override {
    bytes = Available(bytes);
    if (!IsInWindow(bytes)) {
      ARROW_RETURN_NOT_OK(FillWindow(std::max(bytes, window_bytes_wanted_)));
    }
    return std::string_view(reinterpret_cast<const char*>(WindowData()),
                            static_cast<size_t>(std::min(bytes, WindowLeft())));
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    bytes = Available(bytes);
    window_bytes_wanted_ = std::clamp(bytes + kHeaderBytes, kWindowBytesMin, kWindowBytesMax);
    if (IsInWindow(bytes)) {
      auto slice = arrow::SliceBuffer(window_, position_ - window_begin_, bytes);
      position_ += bytes;
      return slice;
    }
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(bytes, pool_));
    ARROW_RETURN_NOT_OK(ReadInto(bytes, buffer->mutable_data()));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    bytes = Available(bytes);
    ARROW_RETURN_NOT_OK(ReadInto(bytes, static_cast<uint8_t*>(out)));
    return bytes;
  }

 private:
  int64_t Available(int64_t bytes) const { return std::clamp<int64_t>(bytes, 0, end_ - position_); }
  int64_t window_end() const { return window_begin_ + window_length_; }
  bool IsInWindow(int64_t bytes) const {
    return position_ >= window_begin_ && position_ + bytes <= window_end();
  }
  const uint8_t* WindowData() const {
    return window_ == nullptr ? nullptr : window_->data() + (position_ - window_begin_);
  }
  int64_t WindowLeft() const { return window_ == nullptr ? 0 : window_end() - position_; }

  arrow::Status FillWindow(int64_t bytes) {
    bytes = Available(bytes);
    // A page that was given out may still be in use.
    if (window_ == nullptr || window_.use_count() > 1 || window_->size() < bytes) {
      window_.reset();
      ARROW_ASSIGN_OR_RAISE(window_, arrow::AllocateBuffer(bytes, pool_));
    }
    window_begin_ = position_;
    window_length_ = 0;
    ARROW_RETURN_NOT_OK(reader_->ReadAt(position_, bytes, window_->mutable_data()));
    window_length_ = bytes;
    return arrow::Status::OK();
  }

  // What the window has of it is copied, the rest read.
  arrow::Status ReadInto(int64_t bytes, uint8_t* out) {
    const int64_t held = IsInWindow(0) ? std::min(bytes, WindowLeft()) : 0;
    if (held > 0) std::memcpy(out, WindowData(), static_cast<size_t>(held));
    if (bytes > held) {
      ARROW_RETURN_NOT_OK(reader_->ReadAt(position_ + held, bytes - held, out + held));
    }
    position_ += bytes;
    return arrow::Status::OK();
  }

  const std::shared_ptr<ObjectReader> reader_;
  const int64_t begin_;
  const int64_t end_;
  arrow::MemoryPool* const pool_;
  bool closed_ = false;
  int64_t position_ = begin_;
  std::shared_ptr<arrow::Buffer> window_;
  int64_t window_begin_ = 0;
  int64_t window_length_ = 0;
  int64_t window_bytes_wanted_ = kWindowBytesMin;
};

}  // namespace

std::unique_ptr<arrow::io::InputStream> OpenColumnChunkStream(std::shared_ptr<ObjectReader> reader,
                                                              int64_t offset, int64_t length,
                                                              arrow::MemoryPool* pool) {
  return std::make_unique<ColumnChunkStream>(std::move(reader), offset, length, pool);
}

}  // namespace hangar
