#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hangar {

/// The time of an HTTP header, which counts whole seconds (RFC 9110, section 5.6.7).
using HttpTime = std::chrono::sys_seconds;

/// As in "Sun, 06 Nov 1994 08:49:37 GMT".
std::string FormatHttpDate(HttpTime time);

/// Any of the three forms that recipients must accept; nullopt for anything else. A two-digit year
/// is of the century that brings it closest, at most 50 years ahead of `now`.
std::optional<HttpTime> ParseHttpDate(std::string_view text, HttpTime now);

}  // namespace hangar
