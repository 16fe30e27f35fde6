#pragma once

#include <memory>

#include "metrics/call_metrics.h"

namespace arrow::flight {
class ServerCallContext;
class ServerMiddlewareFactory;
}  // namespace arrow::flight

namespace hangar {

struct Caller;

/// The name that MakeCallLog's middleware is registered by, which CompleteCaller looks for.
inline constexpr char kCallLogMiddleware[] = "call_log";

/// Tells `observer` of each call, with what the activity of CompleteCaller's caller came to. To be
/// registered before what may refuse a call, so that refusals are told as well. A "traceparent"
/// header is taken over and answered with the server's own step of that trace; a call without one,
/// or with a malformed one, begins a trace.
std::shared_ptr<arrow::flight::ServerMiddlewareFactory> MakeCallLog(
    std::shared_ptr<CallObserver> observer);

/// Gives the caller of this call its trace id, and where to note what the call comes to.
void CompleteCaller(const arrow::flight::ServerCallContext& context, Caller* caller);

}  // namespace hangar
