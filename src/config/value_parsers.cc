#include "config/value_parsers.h"

#include <charconv>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace hangar {

arrow::Result<MemoryAmount> ParseMemoryAmount(std::string_view text) {
  constexpr std::pair<std::string_view, int> kUnits[] = {
      {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  constexpr int64_t kBytesMax = 1LL << 50;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error == std::errc() && number >= 0) {
    if (number == 0 && unit.empty()) return MemoryAmount{};
    if (unit == "%" && number <= 100) return MemoryAmount{.percent = static_cast<int>(number)};
    for (const auto& [name, shift] : kUnits) {
      if (unit == name && number <= kBytesMax >> shift)
        return MemoryAmount{.bytes = number << shift};
    }
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is not an amount of memory; amounts are written as 512MiB, 4GiB, 25% or 0",
               Quoted(text));
}

arrow::Result<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 24 * 3'600'000}};
  constexpr int64_t kHoursMax = 24 * 365 * 10;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const auto& [name, milliseconds] : kUnits) {
    if (error != std::errc() || unit != name || number < 0) continue;
    if (number > kHoursMax * 3'600'000 / milliseconds) break;
    return std::chrono::milliseconds(number * milliseconds);
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is not a duration; durations are written as 500ms, 30s, 2m, 1h or 7d",
               Quoted(text));
}

arrow::Result<int64_t> ParseCount(std::string_view text, int64_t least) {
  constexpr int64_t kCountMax = 1'000'000'000;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least ||
      number > kCountMax) {
    return Error(ErrorKind::kInvalidArgument, "{} is not a number from {} to {}", Quoted(text),
                 least, kCountMax);
  }
  return number;
}

}  // namespace hangar
