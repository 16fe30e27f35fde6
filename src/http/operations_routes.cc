#include "http/operations_routes.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "metrics/metrics.h"

namespace hangar {
namespace {

constexpr char kGreeting[] =
    "Hangar, a server for Parquet datasets.\n"
    "\n"
    "/v1/datasets           lists the datasets\n"
    "/v1/datasets/NAME      is a dataset's Parquet file\n"
    "/v1/openapi.json       describes the interface\n";

HttpResponse PlainText(std::string text) {
  HttpResponse response;
  response.text = std::move(text);
  response.Add("Content-Type", "text/plain; charset=utf-8");
  response.Add("Cache-Control", "no-store");
  return response;
}

}  // namespace

arrow::Result<HttpResponse> Greet(const HttpContext&, const HttpRequest&) {
  return PlainText(kGreeting);
}

arrow::Result<HttpResponse> GetHealth(const HttpContext&, const HttpRequest&) {
  return PlainText("alive\n");
}

arrow::Result<HttpResponse> GetReadiness(const HttpContext& context, const HttpRequest&) {
  if (!context.is_ready || context.is_ready()) return PlainText("ready\n");
  return MakeError(ErrorKind::kUnavailable,
                   "the server is stopping, or its data folder does not answer");
}

arrow::Result<HttpResponse> GetMetrics(const HttpContext& context, const HttpRequest& request) {
  ARROW_RETURN_NOT_OK(context.service->RequireAdministrator(request.caller));
  return GetOpenMetrics(context, request);
}

arrow::Result<HttpResponse> GetOpenMetrics(const HttpContext& context, const HttpRequest&) {
  if (!context.metrics_text) {
    return MakeError(ErrorKind::kUnimplemented, "this server keeps no metrics");
  }
  HttpResponse response;
  response.text = context.metrics_text();
  response.Add("Content-Type", std::string(kMetricsContentType));
  response.Add("Cache-Control", "no-store");
  return response;
}

}  // namespace hangar
