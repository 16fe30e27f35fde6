#include "base/trace_context.h"

#include <algorithm>
#include <cstddef>
#include <format>
#include <random>

namespace hangar {
namespace {

// "00-" trace id "-" span id "-" flags.
constexpr size_t kTraceIdBegin = 3;
constexpr size_t kTraceIdDigits = 32;
constexpr size_t kSpanIdBegin = kTraceIdBegin + kTraceIdDigits + 1;
constexpr size_t kSpanIdDigits = 16;
constexpr size_t kFlagsBegin = kSpanIdBegin + kSpanIdDigits + 1;
constexpr size_t kLength = kFlagsBegin + 2;
// Sampled, and random trace id; the others have no meaning yet and are not passed on.
constexpr uint8_t kKnownFlags = 0x03;
constexpr uint8_t kRandomFlag = 0x02;

bool IsHex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(std::string_view hex) { return hex.find_first_not_of('0') == std::string_view::npos; }

uint8_t HexByte(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  return static_cast<uint8_t>(value(digits[0]) << 4 | value(digits[1]));
}

// Ids tell calls apart; they keep no secret.
std::string RandomHex(size_t digits) {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string hex;
  while (hex.size() < digits || IsZero(hex)) {
    hex = {};
    while (hex.size() < digits) hex += std::format("{:016x}", random());
  }
  return hex;
}

}  // namespace

std::string TraceContext::ToTraceparent() const {
  return std::format("00-{}-{}-{:02x}", trace_id, span_id, flags);
}

std::optional<TraceContext> ParseTraceparent(std::string_view header) {
  if (header.size() < kLength) return std::nullopt;
  const std::string_view version = header.substr(0, 2);
  if (!IsHex(version) || version == "ff") return std::nullopt;
  if (header.size() > kLength && (version == "00" || header[kLength] != '-')) return std::nullopt;
  for (const size_t dash : {kTraceIdBegin, kSpanIdBegin, kFlagsBegin}) {
    if (header[dash - 1] != '-') return std::nullopt;
  }
  const std::string_view trace_id = header.substr(kTraceIdBegin, kTraceIdDigits);
  const std::string_view span_id = header.substr(kSpanIdBegin, kSpanIdDigits);
  const std::string_view flags = header.substr(kFlagsBegin, 2);
  if (!IsHex(trace_id) || !IsHex(span_id) || !IsHex(flags)) return std::nullopt;
  if (IsZero(trace_id) || IsZero(span_id)) return std::nullopt;
  return TraceContext{.trace_id = std::string(trace_id),
                      .span_id = std::string(span_id),
                      .flags = static_cast<uint8_t>(HexByte(flags) & kKnownFlags)};
}

TraceContext ContinueTrace(const std::optional<std::string_view>& traceparent) {
  std::optional<TraceContext> trace;
  if (traceparent) trace = ParseTraceparent(*traceparent);
  if (!trace) trace = TraceContext{.trace_id = RandomHex(kTraceIdDigits), .flags = kRandomFlag};
  trace->span_id = RandomHex(kSpanIdDigits);
  return *std::move(trace);
}

}  // namespace hangar
