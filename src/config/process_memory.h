#pragma once

#include <cstdint>
#include <string>

#include "config/options.h"

namespace hangar {

/// How much memory this process may use, in bytes: the least of the machine's and of the limits of
/// the control groups (version 2 or 1) that it is in.
int64_t ProcessMemoryBytes();

/// The least limit of a control group of version 2 and those above it; INT64_MAX where there is
/// none. `root` is where the hierarchy is mounted, `group` the group's path in it.
int64_t ControlGroupLimit(const std::string& root, const std::string& group);

int64_t BytesOf(const MemoryAmount& amount);

}  // namespace hangar
