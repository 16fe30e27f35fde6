#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hangar {

/// Which trace a call belongs to, and which step of it this is, as the W3C's "Trace Context" has it
/// (https://www.w3.org/TR/trace-context/, the header "traceparent").
struct TraceContext {
  std::string trace_id;  ///< 32 lower-case hexadecimal digits, not all zero.
  std::string span_id;   ///< 16 of them.
  uint8_t flags = 0;     ///< Bit 0: whoever began the trace records it. Bit 1: the id is random.

  /// The header's value, in version 00.
  std::string ToTraceparent() const;
};

/// nullopt for whatever is no traceparent by the letter of the specification. Of a version later
/// than 00 what stands at the places of version 00 counts.
std::optional<TraceContext> ParseTraceparent(std::string_view header);

/// The step of this server: a new span of the trace that `traceparent` names, or of a new trace
/// where it names none (absent or malformed).
TraceContext ContinueTrace(const std::optional<std::string_view>& traceparent);

}  // namespace hangar
