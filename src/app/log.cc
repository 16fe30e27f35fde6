#include "app/log.h"

#include <cstdint>
#include <format>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace hangar {
namespace {

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

bool IsPlain(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= 0x20 || byte == 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return !text.empty();
}

void AppendQuoted(std::string_view text, std::string* line) {
  *line += '"';
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) {
      *line += std::format("\\x{:02x}", byte);
    } else {
      if (c == '"' || c == '\\') *line += '\\';
      *line += c;
    }
  }
  *line += '"';
}

class SpdlogLogger final : public Logger {
 public:
  SpdlogLogger(const std::string& level, LogFormat format)
      : format_(format), logger_("hangar", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_level(spdlog::level::from_str(level));
    logger_.flush_on(spdlog::level::trace);
    // Times are UTC, RFC 3339. A JSON event is an object whose '{' the pattern writes.
    logger_.set_pattern(format == LogFormat::kJson
                            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v)"
                            : "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v",
                        spdlog::pattern_time_type::utc);
  }

  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    const auto spdlog_level = SpdlogLevel(level);
    if (!logger_.should_log(spdlog_level)) return;
    const std::string line = format_ == LogFormat::kJson ? FormatJsonEvent(message, fields)
                                                         : FormatTextEvent(message, fields);
    logger_.log(spdlog_level, spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

std::string FormatTextEvent(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    line += std::format(" {}=", field.key);
    if (IsPlain(field.value)) {
      line += field.value;
    } else {
      AppendQuoted(field.value, &line);
    }
  }
  return line;
}

std::string FormatJsonEvent(std::string_view message, std::initializer_list<LogField> fields) {
  nlohmann::ordered_json event;
  event["message"] = message;
  for (const LogField& field : fields) event[std::string(field.key)] = field.value;
  // Bytes that are not UTF-8 become the replacement character. The '{' stands in the pattern.
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(1);
}

std::shared_ptr<Logger> MakeLogger(const std::string& level, LogFormat format) {
  return std::make_shared<SpdlogLogger>(level, format);
}

}  // namespace hangar
