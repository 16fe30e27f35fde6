#include "catalog/object_file.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/memory_pool.h>

namespace hangar {
namespace {

class ObjectFile final : public arrow::io::RandomAccessFile {
 public:
  ObjectFile(std::shared_ptr<ObjectReader> reader, arrow::MemoryPool* pool)
      : reader_(std::move(reader)), pool_(pool) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> GetSize() override { return size(); }

  arrow::Result<int64_t> ReadAt(int64_t position, int64_t length, void* out) override {
    const int64_t available = Available(position, length);
    ARROW_RETURN_NOT_OK(reader_->ReadAt(position, available, out));
    return available;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t length) override {
    const int64_t available = Available(position, length);
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(available, pool_));
    ARROW_RETURN_NOT_OK(reader_->ReadAt(position, available, buffer->mutable_data()));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    if (position < 0 || position > size()) return arrow::Status::Invalid("seek outside the file");
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Read(int64_t length, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, length, out));
    position_ += read;
    return read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, length));
    position_ += buffer->size();
    return buffer;
  }

 private:
  int64_t size() const { return reader_->info().size_bytes; }

  // Arrow's files give less than asked at their end; damaged metadata asks for less than nothing.
  int64_t Available(int64_t position, int64_t length) const {
    if (position < 0 || position > size()) return 0;
    return std::clamp<int64_t>(length, 0, size() - position);
  }

  const std::shared_ptr<ObjectReader> reader_;
  arrow::MemoryPool* const pool_;
  std::atomic<bool> closed_ = false;
  int64_t position_ = 0;
};

}  // namespace

std::shared_ptr<arrow::io::RandomAccessFile> OpenAsFile(std::shared_ptr<ObjectReader> reader,
                                                        arrow::MemoryPool* pool) {
  return std::make_shared<ObjectFile>(std::move(reader), pool);
}

}  // namespace hangar
