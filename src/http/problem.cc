#include "http/problem.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace hangar {
namespace {

struct KindAndStatus {
  ErrorKind kind;
  int status;
};

constexpr KindAndStatus kTable[] = {
    {ErrorKind::kInvalidArgument, 400},
    {ErrorKind::kUnauthenticated, 401},
    {ErrorKind::kPermissionDenied, 403},
    {ErrorKind::kNotFound, 404},
    {ErrorKind::kAlreadyExists, 409},
    {ErrorKind::kFailedPrecondition, 409},  // 412 where a header of the request asked for it.
    {ErrorKind::kResourceExhausted, 429},
    {ErrorKind::kCancelled, 499},  // As nginx logs it: nobody is there to see it.
    {ErrorKind::kInternal, 500},
    {ErrorKind::kDataLoss, 500},
    {ErrorKind::kUnimplemented, 501},
    {ErrorKind::kUnavailable, 503},
    {ErrorKind::kStorageFull, 507},
};

struct StatusAndTitle {
  int status;
  std::string_view title;
};

constexpr StatusAndTitle kTitles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

// A call that ends makes room, and most do within seconds.
constexpr char kRetryAfterSeconds[] = "1";

// What of a status may be told.
std::string SentenceFor(const arrow::Status& status, Logger& logger) {
  const ErrorKind kind = KindOf(status);
  if (HasErrorKind(status)) return status.message();
  if (kind == ErrorKind::kCancelled) return "the call was cancelled";
  logger.Error("a call failed unexpectedly",
               {{"call", "http"}, {"reason", status.ToStringWithoutContextLines()}});
  if (kind == ErrorKind::kResourceExhausted) {
    return "the server has not enough memory for this; try again later";
  }
  return "the server met an unexpected error; its log says more";
}

}  // namespace

int HttpStatusOf(ErrorKind kind) {
  for (const KindAndStatus& entry : kTable) {
    if (entry.kind == kind) return entry.status;
  }
  return 500;
}

std::string_view HttpStatusTitle(int status) {
  for (const StatusAndTitle& entry : kTitles) {
    if (entry.status == status) return entry.title;
  }
  return "Error";
}

HttpResponse ProblemOf(const arrow::Status& status, Logger& logger) {
  const ErrorKind kind = KindOf(status);
  return ProblemWith(HttpStatusOf(kind), MakeError(kind, SentenceFor(status, logger)));
}

HttpResponse ProblemWith(int http_status, const arrow::Status& status) {
  const nlohmann::ordered_json problem = {{"type", "about:blank"},
                                          {"title", HttpStatusTitle(http_status)},
                                          {"status", http_status},
                                          {"detail", status.message()},
                                          {"code", ErrorKindName(KindOf(status))}};
  HttpResponse response{.status = http_status, .error = status};
  // What a client sent may stand in the sentence.
  response.text =
      problem.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  response.Add("Content-Type", "application/problem+json");
  response.Add("Cache-Control", "no-store");
  if (http_status == 429 || http_status == 503) response.Add("Retry-After", kRetryAfterSeconds);
  return response;
}

}  // namespace hangar
