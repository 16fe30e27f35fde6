#include "app/log.h"

#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/text.h"

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

// Without anything that separates fields, ends lines or needs to be escaped.
bool IsPlain(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '"' || c == '\\' || c == '=') return false;
  }
  return true;
}

class SpdlogLogger final : public AdjustableLogger {
 public:
  SpdlogLogger(const std::string& level, LogFormat format)
      : format_(format), logger_("hangar", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    SetLevel(level);
    logger_.flush_on(spdlog::level::trace);
    // There is nowhere else to say it.
    logger_.set_error_handler([](const std::string&) {});
    // A JSON event is an object whose '{' the pattern writes.
    logger_.set_pattern(format == LogFormat::kJson
                            ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v)"
                            : "%Y-%m-%dT%H:%M:%S.%fZ %-7l %v",
                        spdlog::pattern_time_type::utc);
  }

  void SetLevel(const std::string& level) override {
    logger_.set_level(spdlog::level::from_str(level));
  }

  bool Logs(LogLevel level) const override { return logger_.should_log(SpdlogLevel(level)); }

  void Write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override {
    if (!Logs(level)) return;
    const std::string line = format_ == LogFormat::kJson ? FormatJsonEvent(message, fields)
                                                         : FormatTextEvent(message, fields);
    logger_.log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  const LogFormat format_;
  spdlog::logger logger_;
};

}  // namespace

std::string FormatTextEvent(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    line.append(" ").append(field.key).append("=");
    if (IsPlain(field.value)) {
      line += field.value;
    } else {
      line.append("\"").append(Escaped(field.value)).append("\"");
    }
  }
  return line;
}

std::string FormatJsonEvent(std::string_view message, std::initializer_list<LogField> fields) {
  // In ASCII, as JSON itself escapes neither DEL nor what Unicode has of line ends and controls.
  // Bytes that are not UTF-8 become the replacement character.
  const auto quoted = [](std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', /*ensure_ascii=*/true,
                                     nlohmann::json::error_handler_t::replace);
  };
  std::string line = "\"message\":" + quoted(message);
  for (const LogField& field : fields) {
    if (field.value.empty()) continue;
    line.append(",").append(quoted(field.key)).append(":");
    line += field.is_number ? field.value : quoted(field.value);
  }
  return line + "}";  // The '{' stands in the pattern.
}

std::shared_ptr<AdjustableLogger> MakeLogger(const std::string& level, LogFormat format) {
  return std::make_shared<SpdlogLogger>(level, format);
}

}  // namespace hangar
