#pragma once

#include <arrow/status.h>

#include "config/options.h"

namespace hangar {

/// Runs the server until SIGTERM or SIGINT: opens the store, sweeps staging, opens the doors, says
/// `listening on URI` on standard output, waits, drains. Returns OK after a stop that was asked
/// for; errors are for whoever started the server. To be called once, from the main thread, before
/// any other thread runs, as it takes over the process' signals.
arrow::Status RunServer(const ServeOptions& options);

}  // namespace hangar
