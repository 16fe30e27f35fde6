#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "config/options.h"

namespace hangar {

/// A logger of lines on standard error, least severe level by its name in `config/options.h`. As
/// text: time, level, message, then key=value pairs, quoted where needed; as JSON: one object a
/// line. Control characters are escaped, so that one event is one line whatever a client sends.
std::shared_ptr<Logger> MakeLogger(const std::string& level, LogFormat format);

/// The line of one event, without time and level, as each format writes it.
std::string FormatTextEvent(std::string_view message, std::initializer_list<LogField> fields);
std::string FormatJsonEvent(std::string_view message, std::initializer_list<LogField> fields);

}  // namespace hangar
