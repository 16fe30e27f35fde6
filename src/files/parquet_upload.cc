#include "files/parquet_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <arrow/buffer.h>

#include "base/error.h"
#include "base/file_error.h"
#include "base/text.h"
#include "files/sha256.h"

namespace hangar {
namespace {

// What a Parquet file begins and ends with, and the least that it has: both, and a footer's length
// (https://parquet.apache.org/docs/file-format).
constexpr std::string_view kMagic = "PAR1";
constexpr int64_t kBytesMin = 12;

int64_t NanosecondsOf(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

arrow::Result<std::unique_ptr<ParquetUpload>> ParquetUpload::Open(const std::string& path,
                                                                  Sha256* digest) {
  UniqueDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return FileError("read", path, errno);
  struct stat state{};
  if (fstat(file.get(), &state) != 0) return FileError("read", path, errno);
  std::unique_ptr<ParquetUpload> upload(new ParquetUpload(path, std::move(file), state, digest));
  ARROW_RETURN_NOT_OK(upload->CheckIsParquet());
  return upload;
}

ParquetUpload::ParquetUpload(std::string path, UniqueDescriptor file, const struct stat& state,
                             Sha256* digest)
    : path_(std::move(path)), file_(std::move(file)), state_(state), digest_(digest) {}

int64_t ParquetUpload::modified_ns() const { return NanosecondsOf(state_.st_mtim); }

arrow::Status ParquetUpload::CheckIsParquet() const {
  if (!S_ISREG(state_.st_mode)) {
    return Error(ErrorKind::kInvalidArgument, "{} is no file of bytes", Quoted(path_));
  }
  for (const int64_t offset : {int64_t{0}, size_bytes() - static_cast<int64_t>(kMagic.size())}) {
    std::array<char, kMagic.size()> magic{};
    if (size_bytes() < kBytesMin ||
        pread(file_.get(), magic.data(), magic.size(), offset) !=
            static_cast<ssize_t>(magic.size()) ||
        std::string_view(magic.data(), magic.size()) != kMagic) {
      return Error(ErrorKind::kInvalidArgument, "{} is not a Parquet file", Quoted(path_));
    }
  }
  return arrow::Status::OK();
}

arrow::Status ParquetUpload::CheckIsUnchanged() const {
  struct stat now{};
  if (fstat(file_.get(), &now) != 0) return FileError("read", path_, errno);
  if (position_ == state_.st_size && now.st_size == state_.st_size &&
      NanosecondsOf(now.st_mtim) == modified_ns()) {
    return arrow::Status::OK();
  }
  return Error(ErrorKind::kFailedPrecondition, "{} changed while it was read; nothing was stored",
               Quoted(path_));
}

arrow::Status ParquetUpload::Close() {
  closed_ = true;
  return arrow::Status::OK();
}

bool ParquetUpload::closed() const { return closed_; }

arrow::Result<int64_t> ParquetUpload::Tell() const { return position_; }

arrow::Result<int64_t> ParquetUpload::Read(int64_t length, void* out) {
  ssize_t count = 0;
  do {
    count = read(file_.get(), out, static_cast<size_t>(length));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return FileError("read", path_, errno);
  position_ += count;
  if (digest_ != nullptr && count > 0) {
    digest_->Update({static_cast<const char*>(out), static_cast<size_t>(count)});
  }
  if (count == 0 && length > 0) ARROW_RETURN_NOT_OK(CheckIsUnchanged());
  return count;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ParquetUpload::Read(int64_t length) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(length));
  ARROW_ASSIGN_OR_RAISE(const int64_t count, Read(length, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(count, /*shrink_to_fit=*/false));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

}  // namespace hangar
