#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/log.h"

namespace hangar {

/// One thing that somebody did, tried, or was refused. No secret may stand in any field.
struct AuditEvent {
  std::string action;   ///< "put", "drop", "rename", "restore", "undrop", "purge", "login", "read".
  std::string outcome;  ///< "done", "refused" or "failed".
  std::string identity;  ///< See Identity::ToString.
  std::string peer;
  std::string dataset = {};
  std::string version = {};   ///< That was made, where there is one.
  std::string reason = {};    ///< Why not.
  std::string trace_id = {};  ///< Of the call.
};

/// Who wrote, dropped, logged in and was refused, for those who have to know later. Thread-safe; an
/// event that cannot be written is said in the log and never fails the call.
class AuditLog {
 public:
  /// A log in `file`, one JSON object a line with control characters escaped, appended to and
  /// flushed event by event, mode 600; "-": as lines of `logger`; "": nowhere. FAILED_PRECONDITION
  /// when the file cannot be written.
  static arrow::Result<std::shared_ptr<AuditLog>> Make(const std::string& file,
                                                       std::shared_ptr<Logger> logger);
  virtual ~AuditLog() = default;
  virtual void Record(const AuditEvent& event) = 0;
  /// Opens the file again, as after it was rotated away.
  virtual void Reopen() = 0;
};

}  // namespace hangar
