#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace hangar {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

/// One named value of a log line; without a value it is left out.
struct LogField {
  std::string_view key;
  std::string value;
  bool is_number = false;  ///< `value` is a decimal number, which JSON writes without quotes.
};

/// Where components report what an operator should know. `app/` makes the real one; a line is one
/// event: a constant message and its values as fields. Thread-safe, never fails.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual void Write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;

  /// False when lines of this level go nowhere at present, so that making them can be spared.
  virtual bool Logs(LogLevel) const { return true; }

  void Info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kWarning, message, fields);
  }
  void Error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    Write(LogLevel::kError, message, fields);
  }
};

}  // namespace hangar
