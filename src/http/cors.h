#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/http_message.h"

namespace hangar {

/// Adds what lets a browser's page of the request's Origin read the answer, where `origins` names
/// it or has "*" (the Fetch standard's CORS protocol). Cookies and the like are never asked for:
/// who calls shows it in the Authorization header, which pages set themselves.
void AddCorsHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                    HttpResponse* response);

/// As AddCorsHeaders, for the question that a browser asks beforehand.
void AddPreflightHeaders(const std::vector<std::string>& origins, const HttpRequest& request,
                         std::span<const std::string_view> methods, HttpResponse* response);

}  // namespace hangar
