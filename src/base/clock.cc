#include "base/clock.h"

#include <algorithm>
#include <format>
#include <sstream>

namespace hangar {
namespace {

using std::chrono::nanoseconds;

// Times whose nanoseconds are well within 64 bits.
constexpr std::chrono::sys_seconds kEarliest{};
constexpr std::chrono::sys_seconds kLatest = std::chrono::sys_days(std::chrono::year(2200) / 1 / 1);

constexpr size_t kFractionPosition = std::string_view("2026-01-31T12:00:00").size();
constexpr size_t kFractionDigitsMax = 9;

// Cuts the fraction of a second, "." and digits, out of `text`. nullopt where it is malformed.
std::optional<nanoseconds> TakeFraction(std::string& text) {
  const size_t point = text.find('.');
  if (point == std::string::npos) return nanoseconds(0);
  if (point != kFractionPosition) return std::nullopt;
  size_t end = point + 1;
  int64_t value = 0;
  int64_t unit = 1'000'000'000;
  for (; end < text.size() && text[end] >= '0' && text[end] <= '9'; ++end) {
    if (end - point > kFractionDigitsMax) return std::nullopt;
    unit /= 10;
    value += unit * (text[end] - '0');
  }
  if (end == point + 1) return std::nullopt;
  text.erase(point, end - point);
  return nanoseconds(value);
}

// In whole seconds, which cannot overflow, whatever year it is.
template <typename Time>
std::optional<std::chrono::sys_seconds> Parse(const std::string& text, const char* format) {
  std::istringstream stream(text);
  stream.imbue(std::locale::classic());
  Time time{};
  stream >> std::chrono::parse(format, time);
  if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
  if (time < kEarliest || time > kLatest) return std::nullopt;
  return time;
}

}  // namespace

Timestamp Now() {
  return std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now());
}

std::string FormatTimestamp(Timestamp time) { return std::format("{:%Y-%m-%dT%H:%M:%S}Z", time); }

std::optional<Timestamp> ParseTimestamp(std::string_view text) {
  std::string spelled(text);
  std::ranges::replace(spelled, 't', 'T');
  if (!spelled.contains('T')) return Parse<std::chrono::sys_days>(spelled, "%F");
  const auto fraction = TakeFraction(spelled);
  if (!fraction) return std::nullopt;
  std::optional<std::chrono::sys_seconds> seconds;
  if (spelled.ends_with('Z') || spelled.ends_with('z')) {
    spelled.pop_back();
    seconds = Parse<std::chrono::sys_seconds>(spelled, "%FT%T");
  } else {
    seconds = Parse<std::chrono::sys_seconds>(spelled, "%FT%T%Ez");
  }
  if (!seconds) return std::nullopt;
  return *seconds + *fraction;
}

Timestamp CautiousClock::Now() const {
  const auto passed = std::chrono::steady_clock::now() - steady_start_;
  return std::min(hangar::Now(), start_ + std::chrono::duration_cast<nanoseconds>(passed));
}

}  // namespace hangar
