#pragma once

#include <memory>

#include "service/call_limits.h"

namespace arrow::flight {
class ServerMiddlewareFactory;
}

namespace hangar {

/// Holds each Flight call to the limits, by who it comes from: it follows AccessMiddleware. One
/// that is refused carries `grpc-retry-pushback-ms`, which clients with a retry policy heed.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeCallLimiter(
    std::shared_ptr<CallLimits> limits);

}  // namespace hangar
