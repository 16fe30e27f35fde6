#include "flight/status_table.h"

#include <string>

#include <arrow/flight/types.h>
#include <grpcpp/support/status.h>

namespace hangar {
namespace {

using arrow::flight::FlightStatusCode;

struct KindAndCode {
  ErrorKind kind;
  grpc::StatusCode code;
};

constexpr KindAndCode kTable[] = {
    {ErrorKind::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT},
    {ErrorKind::kNotFound, grpc::StatusCode::NOT_FOUND},
    {ErrorKind::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS},
    {ErrorKind::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION},
    {ErrorKind::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED},
    {ErrorKind::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED},
    {ErrorKind::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {ErrorKind::kStorageFull, grpc::StatusCode::RESOURCE_EXHAUSTED},
    {ErrorKind::kUnavailable, grpc::StatusCode::UNAVAILABLE},
    {ErrorKind::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED},
    {ErrorKind::kCancelled, grpc::StatusCode::CANCELLED},
    {ErrorKind::kDataLoss, grpc::StatusCode::DATA_LOSS},
    {ErrorKind::kInternal, grpc::StatusCode::INTERNAL},
};

struct KindAndFlightCode {
  ErrorKind kind;
  FlightStatusCode flight_code;
};

constexpr KindAndFlightCode kFlightCodes[] = {
    {ErrorKind::kUnauthenticated, FlightStatusCode::Unauthenticated},
    {ErrorKind::kPermissionDenied, FlightStatusCode::Unauthorized},
    {ErrorKind::kUnavailable, FlightStatusCode::Unavailable},
    {ErrorKind::kCancelled, FlightStatusCode::Cancelled},
    {ErrorKind::kInternal, FlightStatusCode::Internal},
};

arrow::Status InFlightsTerms(ErrorKind kind, const std::string& sentence) {
  for (const KindAndFlightCode& entry : kFlightCodes) {
    if (entry.kind == kind) return arrow::flight::MakeFlightError(entry.flight_code, sentence);
  }
  return MakeError(kind, sentence);
}

}  // namespace

int GrpcCode(ErrorKind kind) {
  for (const KindAndCode& entry : kTable) {
    if (entry.kind == kind) return entry.code;
  }
  return grpc::StatusCode::INTERNAL;
}

std::optional<ErrorKind> ErrorKindFromName(std::string_view name) {
  for (const KindAndCode& entry : kTable) {
    if (ErrorKindName(entry.kind) == name) return entry.kind;
  }
  return std::nullopt;
}

arrow::Status ForClient(const arrow::Status& status, std::string_view call, Logger& logger) {
  if (status.ok()) return status;
  const ErrorKind kind = KindOf(status);
  if (HasErrorKind(status)) return InFlightsTerms(kind, status.message());
  if (kind == ErrorKind::kCancelled) return InFlightsTerms(kind, "the call was cancelled");
  logger.Error("a call failed unexpectedly",
               {{"call", std::string(call)}, {"reason", status.ToStringWithoutContextLines()}});
  if (kind == ErrorKind::kResourceExhausted) {
    return MakeError(kind, "the server has not enough memory for this; try again later");
  }
  return InFlightsTerms(kind, "the server met an unexpected error; its log says more");
}

ErrorKind KindOfSent(const arrow::Status& status) {
  const auto detail = arrow::flight::FlightStatusDetail::UnwrapStatus(status);
  if (detail == nullptr) return KindOf(status);
  for (const KindAndFlightCode& entry : kFlightCodes) {
    if (entry.flight_code == detail->code()) return entry.kind;
  }
  return ErrorKind::kInternal;
}

}  // namespace hangar
