#pragma once

#include <memory>
#include <string>

#include "base/log.h"

namespace hangar {

/// Sends what gRPC's library says, which it writes to standard error otherwise, to a logger: what
/// it calls an error as a warning, as it is mostly about a client or a network. GRPC_VERBOSITY in
/// the environment says how much it tells. For good and in the whole process: gRPC has one place
/// for it and no moment at which it is silent, so the logger is kept to the end.
void SendGrpcLogTo(std::shared_ptr<Logger> logger);

/// Of the library that is loaded.
std::string GrpcVersion();

}  // namespace hangar
