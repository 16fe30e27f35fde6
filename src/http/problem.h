#pragma once

#include <string>
#include <string_view>

#include <arrow/status.h>

#include "base/error.h"
#include "base/log.h"
#include "http/http_message.h"

namespace hangar {

/// The HTTP status of each kind of error, as in docs/http.md.
int HttpStatusOf(ErrorKind kind);

/// The reason phrase of a status, as RFC 9110 has it: "Not Found".
std::string_view HttpStatusTitle(int status);

/// An error as the client sees it, a problem of RFC 9457: {"type", "title", "status", "detail",
/// "code"}. One with a kind keeps its sentence; a library's own is logged and becomes a neutral
/// one. What the server cannot do now comes with a Retry-After.
HttpResponse ProblemOf(const arrow::Status& status, Logger& logger);

/// As ProblemOf, where HTTP has a status of its own for it. `status` is made by `Error`.
HttpResponse ProblemWith(int http_status, const arrow::Status& status);

}  // namespace hangar
