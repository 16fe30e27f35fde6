#pragma once

#include <memory>
#include <string>

#include <arrow/io/type_fwd.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace hangar::cli {

/// A file that appears under its name only when it is whole: it grows as a hidden file beside its
/// target (`.NAME.PID.part`), is made durable and renamed over it. Destroyed without Commit, or
/// when SIGINT or SIGTERM ends the process meanwhile, it leaves nothing. A target that is there and
/// not a regular file, such as /dev/null or a pipe, is written to directly. One thread at a time.
///
/// Signals are caught by a thread of its own, so a Download must be opened before other threads are
/// started (such as gRPC's): they inherit that the two signals are blocked.
class Download {
 public:
  static arrow::Result<std::unique_ptr<Download>> Open(const std::string& path);

  virtual ~Download() = default;

  virtual std::shared_ptr<arrow::io::OutputStream> stream() = 0;

  /// Closes the file and gives it its name.
  virtual arrow::Status Commit() = 0;
};

/// What to say of a failure to write `path`.
arrow::Status CannotWrite(const std::string& path, const arrow::Status& status);

}  // namespace hangar::cli
