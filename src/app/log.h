#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "config/options.h"

namespace hangar {

/// A logger whose least severe level can be changed while it is used.
class AdjustableLogger : public Logger {
 public:
  /// `level` by its name in `config/options.h`. Thread-safe.
  virtual void SetLevel(const std::string& level) = 0;
};

/// A logger of lines on standard error, least severe level by its name in `config/options.h`. As
/// text: time, level, message, then key=value pairs, quoted where needed; as JSON: one object a
/// line, in ASCII. Times are UTC, RFC 3339 with microseconds. Control characters are escaped, so
/// that one event is one line whatever a client sends, and fields without a value are left out.
/// Lines that cannot be written are lost.
std::shared_ptr<AdjustableLogger> MakeLogger(const std::string& level, LogFormat format);

/// The line of one event, without time and level, as each format writes it.
std::string FormatTextEvent(std::string_view message, std::initializer_list<LogField> fields);
std::string FormatJsonEvent(std::string_view message, std::initializer_list<LogField> fields);

}  // namespace hangar
