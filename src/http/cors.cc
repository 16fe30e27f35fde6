#include "http/cors.h"

#include <algorithm>

namespace hangar {
namespace {

constexpr char kExposed[] =
    "ETag, Content-Range, Content-Disposition, Accept-Ranges, Location, Retry-After, "
    "WWW-Authenticate, traceparent";
constexpr char kAllowedHeaders[] =
    "Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, If-Modified-Since, "
    "If-Unmodified-Since, If-Range, Range, Idempotency-Key, traceparent";
constexpr char kPreflightSeconds[] = "600";

bool AddOrigin(const std::vector<std::string>& origins, const HttpRequest& request,
               HttpResponse* response) {
  if (origins.empty()) return false;
  if (std::ranges::contains(origins, "*")) {
    response->Add("Access-Control-Allow-Origin", "*");
    return true;
  }
  // Caches must keep apart what different pages see, also those that see nothing.
  response->Add("Vary", "Origin");
  const auto origin = request.Header("Origin");
  if (!origin || !std::ranges::contains(origins, *origin)) return false;
  response->Add("Access-Control-Allow-Origin", *origin);
  return true;
}

}  // namespace

void AddCorsHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                    HttpResponse* response) {
  if (!AddOrigin(origins, request, response)) return;
  response->Add("Access-Control-Expose-Headers", kExposed);
}

void AddPreflightHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                         std::span<const std::string_view> methods, HttpResponse* response) {
  if (!AddOrigin(origins, request, response)) return;
  std::string names;
  for (const std::string_view method : methods) {
    names += (names.empty() ? "" : ", ") + std::string(method);
  }
  response->Add("Access-Control-Allow-Methods", names);
  response->Add("Access-Control-Allow-Headers", kAllowedHeaders);
  response->Add("Access-Control-Max-Age", kPreflightSeconds);
}

}  // namespace hangar
