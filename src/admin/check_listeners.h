#pragma once

#include "admin/findings.h"
#include "config/options.h"

namespace hangar {

/// Whether each address can be listened on, and who listens there when not; whether strangers reach
/// a server that asks nobody who they are. Listens for a moment, accepts nothing, leaves nothing.
void CheckListeners(const ServeOptions& options, Findings& findings);

}  // namespace hangar
