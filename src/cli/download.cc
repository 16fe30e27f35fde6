#include "cli/download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <system_error>
#include <utility>

#include <arrow/io/file.h>
#include <arrow/util/io_util.h>

#include "base/error.h"
#include "base/text.h"
#include "base/unique_descriptor.h"
#include "cli/batch_file_reader.h"
#include "cli/descriptor_stream.h"
#include "cli/interrupt.h"

namespace hangar::cli {
namespace {

namespace fs = std::filesystem;

std::string NameOf(const std::string& path) {
  return path == kStandardStream ? "standard output" : Quoted(path);
}

arrow::Status SystemError(const std::string& path, int number) {
  const ErrorKind kind = number == ENOSPC || number == EDQUOT ? ErrorKind::kResourceExhausted
                         : number == ENOENT                   ? ErrorKind::kNotFound
                         : number == EACCES                   ? ErrorKind::kPermissionDenied
                                                              : ErrorKind::kInvalidArgument;
  return Error(kind, "cannot write {}: {}", NameOf(path), std::strerror(number));
}

// A device or a pipe.
class DirectDownload final : public Download {
 public:
  static arrow::Result<std::unique_ptr<Download>> Open(const std::string& path) {
    const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0) return SystemError(path, errno);
    return std::unique_ptr<Download>(new DirectDownload(path, MakeDescriptorOutput(file)));
  }

  std::shared_ptr<arrow::io::OutputStream> stream() override { return stream_; }
  arrow::Status Commit() override { return CannotWrite(path_, stream_->Close()); }

 private:
  DirectDownload(std::string path, std::shared_ptr<arrow::io::OutputStream> stream)
      : path_(std::move(path)), stream_(std::move(stream)) {}

  const std::string path_;
  const std::shared_ptr<arrow::io::OutputStream> stream_;
};

class RenamedDownload final : public Download {
 public:
  static arrow::Result<std::unique_ptr<Download>> Open(const std::string& path) {
    const fs::path target = path;
    const std::string part =
        target.parent_path() / std::format(".{}.{}.part", target.filename().string(), getpid());
    // Before the file is there, so that no signal finds it unguarded.
    auto guard = std::make_unique<InterruptGuard>([part] { unlink(part.c_str()); });
    unlink(part.c_str());  // Of a process of the same number that was killed.
    const int file = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return SystemError(path, errno);
    ARROW_ASSIGN_OR_RAISE(auto stream, arrow::io::FileOutputStream::Open(file));
    return std::unique_ptr<Download>(
        new RenamedDownload(path, part, std::move(guard), std::move(stream)));
  }

  ~RenamedDownload() override {
    if (!committed_) unlink(part_.c_str());
  }

  std::shared_ptr<arrow::io::OutputStream> stream() override { return stream_; }

  arrow::Status Commit() override {
    if (fsync(stream_->file_descriptor()) != 0) return SystemError(path_, errno);
    ARROW_RETURN_NOT_OK(CannotWrite(path_, stream_->Close()));
    if (rename(part_.c_str(), path_.c_str()) != 0) return SystemError(path_, errno);
    committed_ = true;
    const fs::path folder = fs::path(path_).parent_path();
    const UniqueDescriptor directory(
        open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Not open: a folder that may be written but not read.
    if (!directory.is_open()) return arrow::Status::OK();
    return fsync(directory.get()) == 0 ? arrow::Status::OK() : SystemError(path_, errno);
  }

 private:
  RenamedDownload(std::string path, std::string part, std::unique_ptr<InterruptGuard> guard,
                  std::shared_ptr<arrow::io::FileOutputStream> stream)
      : path_(std::move(path)),
        part_(std::move(part)),
        guard_(std::move(guard)),
        stream_(std::move(stream)) {}

  const std::string path_;
  const std::string part_;
  const std::unique_ptr<InterruptGuard> guard_;  // Outlives the part of the file.
  const std::shared_ptr<arrow::io::FileOutputStream> stream_;
  bool committed_ = false;
};

}  // namespace

arrow::Status CannotWrite(const std::string& path, const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status)) return status;
  const int number = arrow::internal::ErrnoFromStatus(status);
  if (number != 0) return SystemError(path, number);
  return Error(ErrorKind::kInvalidArgument, "cannot write {}: {}", NameOf(path), status.message());
}

arrow::Result<std::unique_ptr<Download>> Download::Open(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_directory(status)) {
    return Error(ErrorKind::kInvalidArgument, "cannot write {}: it is a folder", Quoted(path));
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) return DirectDownload::Open(path);
  // A link stays, and what it points to is replaced.
  const fs::path real = fs::exists(status) ? fs::canonical(path, error) : fs::path(path);
  return RenamedDownload::Open(error ? path : real.string());
}

}  // namespace hangar::cli
