#pragma once

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"

// The routes about datasets that neither give nor take one's content. Bodies are JSON objects.

namespace hangar {

arrow::Result<HttpResponse> ListDatasets(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> GetSchema(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> ListVersions(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> DropDataset(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> RenameDataset(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> RestoreDataset(const HttpContext& context, const HttpRequest& request);
arrow::Result<HttpResponse> UndropDataset(const HttpContext& context, const HttpRequest& request);

}  // namespace hangar
