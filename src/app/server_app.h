#pragma once

#include <functional>

#include <arrow/result.h>
#include <arrow/status.h>

#include "config/options.h"

namespace hangar {

/// Runs the server until SIGTERM or SIGINT: opens the store, sweeps staging, opens the doors, says
/// `listening on URI` on standard output for each, waits, drains. Returns OK after a stop that was
/// asked for; errors are for whoever started the server. At SIGHUP the policy is read again, the
/// audit log is opened again, and the log's level is taken from what `reload` then says; other
/// settings hold until the next start. To be called once, from the main thread, before any other
/// thread runs, as it takes over the process' signals.
arrow::Status RunServer(const ServeOptions& options,
                        const std::function<arrow::Result<ServeOptions>()>& reload);

}  // namespace hangar
