#pragma once

#include <chrono>
#include <string>

namespace hangar {

/// A point in time, UTC, in nanoseconds since the Unix epoch.
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// RFC 3339 in UTC with nanoseconds, for example "2026-01-31T23:59:59.000000001Z".
std::string FormatTimestamp(Timestamp time);

}  // namespace hangar
