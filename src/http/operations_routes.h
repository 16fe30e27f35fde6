#pragma once

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"

// The routes for those who run the server, and the one that greets.

namespace hangar {

arrow::Result<HttpResponse> Greet(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> GetHealth(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> GetReadiness(const HttpContext& context, const HttpRequest& request);
/// For those who administer the server.
arrow::Result<HttpResponse> GetMetrics(const HttpContext& context, const HttpRequest& request);
/// For everybody who can connect: of a door for operations only.
arrow::Result<HttpResponse> GetOpenMetrics(const HttpContext& context, const HttpRequest& request);

}  // namespace hangar
