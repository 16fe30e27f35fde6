#include "cli/units.h"

#include <array>
#include <chrono>
#include <cmath>
#include <format>

namespace hangar::cli {

std::string FormatBytes(int64_t bytes) {
  if (bytes < 0) return "-";
  if (bytes < 1024) return std::format("{} B", bytes);
  constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.5 and more would be rounded to 1024 of the smaller unit.
  while (value >= 1023.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return value < 99.95 ? std::format("{:.1f} {}", value, kUnits[unit])
                       : std::format("{:.0f} {}", value, kUnits[unit]);
}

std::string FormatCount(int64_t count) {
  std::string digits = std::to_string(count);
  const size_t first = digits[0] == '-' ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string CountOf(int64_t count, std::string_view noun) {
  return std::format("{} {}{}", FormatCount(count), noun, count == 1 ? "" : "s");
}

std::string FormatSpan(std::chrono::seconds span) {
  const int64_t seconds = span.count();
  if (seconds == 0) return "0s";
  if (seconds % 86'400 == 0) return std::format("{}d", seconds / 86'400);
  if (seconds % 3'600 == 0) return std::format("{}h", seconds / 3'600);
  if (seconds % 60 == 0) return std::format("{}m", seconds / 60);
  return std::format("{}s", seconds);
}

std::string FormatDuration(double seconds) {
  if (!(seconds >= 0 && seconds < 99.0 * 3600)) return "-";
  const auto total = static_cast<int64_t>(std::lround(seconds));
  const int64_t minutes = total / 60;
  if (minutes < 60) return std::format("{}:{:02}", minutes, total % 60);
  return std::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, total % 60);
}

std::string FormatTime(Timestamp time) {
  if (time == Timestamp{}) return "-";
  return std::format("{:%Y-%m-%dT%H:%M:%S}Z", std::chrono::floor<std::chrono::seconds>(time));
}

}  // namespace hangar::cli
