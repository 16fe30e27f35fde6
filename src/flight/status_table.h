#pragma once

#include <optional>
#include <string_view>

#include <arrow/status.h>

#include "base/error.h"
#include "base/log.h"

namespace hangar {

/// The gRPC code of each kind of error, as in docs/protocol.md.
int GrpcCode(ErrorKind kind);

/// The kind that a status' detail names ("NOT_FOUND"), as it travels in the trailers; nullopt for
/// text that names none, such as Flight's own details.
std::optional<ErrorKind> ErrorKindFromName(std::string_view name);

/// The status as a client may see it: one with a kind keeps its sentence, a library's own is logged
/// and becomes a neutral one. Kinds for which Flight has a status of its own become that, so that
/// clients raise what they have for it (pyarrow's FlightUnavailableError, ...).
arrow::Status ForClient(const arrow::Status& status, std::string_view call, Logger& logger);

/// The kind of a status that ForClient gave.
ErrorKind KindOfSent(const arrow::Status& status);

}  // namespace hangar
