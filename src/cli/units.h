#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace hangar::cli {

/// "0 B", "1023 B", "1.0 KiB", "12.3 MiB", "999 GiB"; "-" for what is not known (negative).
std::string FormatBytes(int64_t bytes);

/// "1,234,567".
std::string FormatCount(int64_t count);

/// "1 dataset", "2 datasets", "1,234 datasets": `noun` is the singular.
std::string CountOf(int64_t count, std::string_view noun);

/// "7d", "36h", "10m", "90s": in the largest unit of which it is a whole number.
std::string FormatSpan(std::chrono::seconds span);

/// "0:07", "12:34", "3:02:01", for at most 99 hours, then "-".
std::string FormatDuration(double seconds);

/// "2026-01-31T23:59:59Z"; "-" for the epoch, which stands for not known.
std::string FormatTime(Timestamp time);

}  // namespace hangar::cli
