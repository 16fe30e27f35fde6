#pragma once

#include "admin/findings.h"
#include "config/options.h"

namespace hangar {

/// Whether the clock is right and kept so, and whether memory, open files and file sizes are
/// limited to less than the settings promise.
void CheckMachine(const ServeOptions& options, Findings& findings);

}  // namespace hangar
