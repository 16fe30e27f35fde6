#pragma once

#include <span>
#include <string>

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"
#include "http/routes.h"

namespace hangar {

/// What the routes do, as an OpenAPI 3.1 document.
std::string OpenApiText(std::span<const HttpRoute> routes);

/// GET of it.
arrow::Result<HttpResponse> DescribeInterface(const HttpContext& context,
                                              const HttpRequest& request);

}  // namespace hangar
