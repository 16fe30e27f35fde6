#include "base/clock.h"

#include <format>

namespace hangar {

std::string FormatTimestamp(Timestamp time) { return std::format("{:%Y-%m-%dT%H:%M:%S}Z", time); }

}  // namespace hangar
