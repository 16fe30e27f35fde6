#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/watched_file.h"
#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// What a file says, read again when the file changes: looked at when it is asked for, once a
/// second at most. A file that is wrong or gone is said in the log, once, and what it said before
/// stays in force. Thread-safe.
template <typename Content>
class ReloadedFile {
 public:
  using Parse =
      std::function<arrow::Result<Content>(const std::string& text, const std::string& path)>;

  /// Reads the file. `parse` takes its text; its errors are what Make gives or the log gets.
  static arrow::Result<std::unique_ptr<ReloadedFile>> Make(const std::string& path, Parse parse,
                                                           std::shared_ptr<Logger> logger) {
    std::unique_ptr<ReloadedFile> file(new ReloadedFile(path, std::move(parse), std::move(logger)));
    ARROW_ASSIGN_OR_RAISE(const std::string text, file->file_.Read());
    const MutexLock lock(file->mutex_);
    ARROW_RETURN_NOT_OK(file->Take(text));
    return file;
  }

  /// What the file says now. Takes the time to look at the file, and to read and parse it, when
  /// that is due.
  std::shared_ptr<const Content> Current() HANGAR_EXCLUDES(mutex_) {
    // Over it all, so that of two changes the later one is what stays.
    const MutexLock lock(mutex_);
    const auto text = file_.ReadIfChanged();
    auto status = text.status();
    if (text.ok() && *text) status = Take(**text);
    if (!status.ok()) {
      logger_->Warning("a changed file is wrong; what it said before stays in force",
                       {{"file", file_.path()}, {"error", status.message()}});
    }
    return current_;
  }

 private:
  ReloadedFile(const std::string& path, Parse parse, std::shared_ptr<Logger> logger)
      : parse_(std::move(parse)), logger_(std::move(logger)), file_(path) {}

  arrow::Status Take(const std::string& text) HANGAR_REQUIRES(mutex_) {
    ARROW_ASSIGN_OR_RAISE(Content content, parse_(text, file_.path()));
    current_ = std::make_shared<const Content>(std::move(content));
    return arrow::Status::OK();
  }

  const Parse parse_;
  const std::shared_ptr<Logger> logger_;
  WatchedFile file_;

  Mutex mutex_;
  std::shared_ptr<const Content> current_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar
