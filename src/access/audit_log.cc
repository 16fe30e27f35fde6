#include "access/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

std::string MessageOf(int error) { return std::generic_category().message(error); }

class NoAuditLog final : public AuditLog {
 public:
  void Record(const AuditEvent&) override {}
  void Reopen() override {}
};

class LoggerAuditLog final : public AuditLog {
 public:
  explicit LoggerAuditLog(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}

  void Record(const AuditEvent& event) override {
    logger_->Info("audit", {{"action", event.action},
                            {"outcome", event.outcome},
                            {"identity", event.identity},
                            {"peer", event.peer},
                            {"dataset", event.dataset},
                            {"version", event.version},
                            {"reason", event.reason},
                            {"trace_id", event.trace_id}});
  }
  void Reopen() override {}

 private:
  const std::shared_ptr<Logger> logger_;
};

// In pure ASCII, so that no character of a name can be taken for the end of a line or for a
// terminal's command. What is not UTF-8 becomes the replacement character.
std::string LineOf(const AuditEvent& event) {
  nlohmann::ordered_json object;
  object["time"] = FormatTimestamp(Now());
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
  };
  add("action", event.action);
  add("outcome", event.outcome);
  add("identity", event.identity);
  add("peer", event.peer);
  add("dataset", event.dataset);
  add("version", event.version);
  add("reason", event.reason);
  add("trace_id", event.trace_id);
  return object.dump(-1, ' ', /*ensure_ascii=*/true, nlohmann::json::error_handler_t::replace) +
         "\n";
}

// The file, opened for appending.
class AppendedFile {
 public:
  /// 0 or an errno.
  int Open(const std::string& path) {
    UniqueDescriptor opened(::open(
        path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR));
    if (!opened.is_open()) return errno;
    file_ = std::move(opened);
    return 0;
  }

  /// All of it in one write, so that events of several processes stay whole lines. How much was
  /// written, or -1 with errno.
  ssize_t Write(const std::string& bytes) const {
    for (;;) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written >= 0 || errno != EINTR) return written;
    }
  }

 private:
  UniqueDescriptor file_;
};

class FileAuditLog final : public AuditLog {
 public:
  FileAuditLog(std::string path, AppendedFile file, std::shared_ptr<Logger> logger)
      : path_(std::move(path)), logger_(std::move(logger)), file_(std::move(file)) {}

  void Record(const AuditEvent& event) override {
    const std::string line = LineOf(event);
    const int error = Append(line);
    if (error == 0) return;
    // The log is the next best place for it.
    logger_->Error("an audit event could not be written",
                   {{"reason", MessageOf(error)}, {"event", line.substr(0, line.size() - 1)}});
  }

  void Reopen() override {
    AppendedFile opened;
    if (const int error = opened.Open(path_)) {
      logger_->Error("the audit log could not be opened again; it goes on in the old file",
                     {{"file", path_}, {"reason", MessageOf(error)}});
      return;
    }
    const MutexLock lock(mutex_);
    file_ = std::move(opened);
    torn_ = false;
  }

 private:
  // 0 or an errno.
  int Append(const std::string& line) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    // Behind a piece of a line stands nothing but the next line.
    const std::string bytes = torn_ ? "\n" + line : line;
    const ssize_t written = file_.Write(bytes);
    if (written < 0) return errno;
    if (written > 0) torn_ = static_cast<size_t>(written) < bytes.size();
    return static_cast<size_t>(written) < bytes.size() ? ENOSPC : 0;
  }

  const std::string path_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  AppendedFile file_ HANGAR_GUARDED_BY(mutex_);
  bool torn_ HANGAR_GUARDED_BY(mutex_) = false;  // The file ends with a piece of a line.
};

}  // namespace

arrow::Result<std::shared_ptr<AuditLog>> AuditLog::Make(const std::string& file,
                                                        std::shared_ptr<Logger> logger) {
  if (file.empty()) return std::make_shared<NoAuditLog>();
  if (file == "-") return std::make_shared<LoggerAuditLog>(std::move(logger));
  AppendedFile opened;
  if (const int error = opened.Open(file)) {
    return Error(ErrorKind::kFailedPrecondition, "the audit log {} cannot be written: {}",
                 Quoted(file), MessageOf(error));
  }
  return std::make_shared<FileAuditLog>(file, std::move(opened), std::move(logger));
}

}  // namespace hangar
