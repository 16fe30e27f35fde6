#include "cli/descriptor_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>

#include "base/unique_descriptor.h"

namespace hangar::cli {
namespace {

// Linux moves no more than this in one call.
constexpr int64_t kTransferBytesMax = 1 << 30;

// A descriptor, and how much went through it.
class Descriptor {
 public:
  explicit Descriptor(int number) : descriptor_(number) {}

  bool closed() const { return !descriptor_.is_open(); }
  int64_t position() const { return position_; }

  arrow::Status Close() {
    if (closed()) return arrow::Status::OK();
    // The number is free again even where close fails.
    if (close(descriptor_.release()) == 0) return arrow::Status::OK();
    return arrow::internal::IOErrorFromErrno(errno, "close failed");
  }

  arrow::Result<int64_t> Read(int64_t bytes, uint8_t* out) {
    int64_t done = 0;
    while (done < bytes) {
      const auto wanted = static_cast<size_t>(std::min(bytes - done, kTransferBytesMax));
      const ssize_t count = read(descriptor_.get(), out + done, wanted);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return arrow::internal::IOErrorFromErrno(errno, "read failed");
      if (count == 0) break;
      done += count;
    }
    position_ += done;
    return done;
  }

  arrow::Status Write(const uint8_t* data, int64_t bytes) {
    while (bytes > 0) {
      const ssize_t count =
          write(descriptor_.get(), data, static_cast<size_t>(std::min(bytes, kTransferBytesMax)));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return arrow::internal::IOErrorFromErrno(errno, "write failed");
      data += count;
      bytes -= count;
      position_ += count;
    }
    return arrow::Status::OK();
  }

 private:
  UniqueDescriptor descriptor_;
  int64_t position_ = 0;
};

class DescriptorInput final : public arrow::io::InputStream {
 public:
  explicit DescriptorInput(int number) : descriptor_(number) {}

  arrow::Status Close() override { return descriptor_.Close(); }
  bool closed() const override { return descriptor_.closed(); }
  arrow::Result<int64_t> Tell() const override { return descriptor_.position(); }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    return descriptor_.Read(bytes, static_cast<uint8_t*>(out));
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t count, Read(bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(count));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

 private:
  Descriptor descriptor_;
};

class DescriptorOutput final : public arrow::io::OutputStream {
 public:
  explicit DescriptorOutput(int number) : descriptor_(number) {}

  arrow::Status Close() override { return descriptor_.Close(); }
  bool closed() const override { return descriptor_.closed(); }
  arrow::Result<int64_t> Tell() const override { return descriptor_.position(); }
  arrow::Status Write(const void* data, int64_t bytes) override {
    return descriptor_.Write(static_cast<const uint8_t*>(data), bytes);
  }

 private:
  Descriptor descriptor_;
};

arrow::Result<int> Copy(int number) {
  const int copy = fcntl(number, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return arrow::internal::IOErrorFromErrno(errno, "fcntl failed");
  return copy;
}

}  // namespace

std::shared_ptr<arrow::io::InputStream> MakeDescriptorInput(int file_descriptor) {
  return std::make_shared<DescriptorInput>(file_descriptor);
}

std::shared_ptr<arrow::io::OutputStream> MakeDescriptorOutput(int file_descriptor) {
  return std::make_shared<DescriptorOutput>(file_descriptor);
}

arrow::Result<std::shared_ptr<arrow::io::OutputStream>> OpenStandardOutput() {
  ARROW_ASSIGN_OR_RAISE(const int copy, Copy(STDOUT_FILENO));
  return MakeDescriptorOutput(copy);
}

arrow::Result<std::shared_ptr<arrow::io::InputStream>> OpenStandardInput() {
  ARROW_ASSIGN_OR_RAISE(const int copy, Copy(STDIN_FILENO));
  return MakeDescriptorInput(copy);
}

}  // namespace hangar::cli
