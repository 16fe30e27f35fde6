#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <arrow/result.h>

#include "config/options.h"

namespace hangar {

// How the values of settings are written. Each gives INVALID_ARGUMENT with examples for what is
// written otherwise.

/// "512MiB", "4GiB", "25%", "0"; units are KiB, MiB, GiB and TiB.
arrow::Result<MemoryAmount> ParseMemoryAmount(std::string_view text);

/// "30s", "500ms", "2m", "1h", "7d".
arrow::Result<std::chrono::milliseconds> ParseDuration(std::string_view text);

/// A whole number from `least` to 1,000,000,000.
arrow::Result<int64_t> ParseCount(std::string_view text, int64_t least);

}  // namespace hangar
