#pragma once

#include <memory>

#include "base/log.h"

namespace arrow::flight {
class ServerMiddlewareFactory;
}

namespace hangar {

/// Logs each call when it ends: its method, peer, code and milliseconds. Calls that went well are
/// for debugging, failed ones are information.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeCallLog(std::shared_ptr<Logger> logger);

}  // namespace hangar
