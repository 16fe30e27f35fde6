#include "base/error.h"

#include <memory>

namespace hangar {
namespace {

constexpr char kTypeId[] = "hangar::ErrorDetail";

class ErrorDetail final : public arrow::StatusDetail {
 public:
  explicit ErrorDetail(ErrorKind kind) : kind_(kind) {}
  const char* type_id() const override { return kTypeId; }
  std::string ToString() const override { return std::string(ErrorKindName(kind_)); }
  ErrorKind kind() const { return kind_; }

 private:
  const ErrorKind kind_;
};

// Clients in Arrow's own languages rebuild this code from the trailers, so it decides which
// exception a pyarrow user sees.
arrow::StatusCode ArrowCodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
    case ErrorKind::kFailedPrecondition:
    case ErrorKind::kAlreadyExists:  // Arrow's own AlreadyExists is "Unknown" to pyarrow.
      return arrow::StatusCode::Invalid;
    case ErrorKind::kNotFound:
      return arrow::StatusCode::KeyError;
    case ErrorKind::kUnimplemented:
      return arrow::StatusCode::NotImplemented;
    case ErrorKind::kCancelled:
      return arrow::StatusCode::Cancelled;
    case ErrorKind::kResourceExhausted:
    case ErrorKind::kStorageFull:
      return arrow::StatusCode::CapacityError;
    case ErrorKind::kUnauthenticated:
    case ErrorKind::kPermissionDenied:
    case ErrorKind::kUnavailable:
    case ErrorKind::kDataLoss:
      return arrow::StatusCode::IOError;
    case ErrorKind::kInternal:
      return arrow::StatusCode::UnknownError;
  }
  return arrow::StatusCode::UnknownError;
}

const ErrorDetail* DetailOf(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  if (std::string_view(status.detail()->type_id()) != kTypeId) return nullptr;
  return static_cast<const ErrorDetail*>(status.detail().get());
}

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument:
      return "INVALID_ARGUMENT";
    case ErrorKind::kNotFound:
      return "NOT_FOUND";
    case ErrorKind::kAlreadyExists:
      return "ALREADY_EXISTS";
    case ErrorKind::kFailedPrecondition:
      return "FAILED_PRECONDITION";
    case ErrorKind::kUnauthenticated:
      return "UNAUTHENTICATED";
    case ErrorKind::kPermissionDenied:
      return "PERMISSION_DENIED";
    case ErrorKind::kResourceExhausted:
    case ErrorKind::kStorageFull:
      return "RESOURCE_EXHAUSTED";
    case ErrorKind::kUnavailable:
      return "UNAVAILABLE";
    case ErrorKind::kUnimplemented:
      return "UNIMPLEMENTED";
    case ErrorKind::kCancelled:
      return "CANCELLED";
    case ErrorKind::kDataLoss:
      return "DATA_LOSS";
    case ErrorKind::kInternal:
      return "INTERNAL";
  }
  return "INTERNAL";
}

arrow::Status MakeError(ErrorKind kind, std::string sentence) {
  return {ArrowCodeOf(kind), std::move(sentence), std::make_shared<ErrorDetail>(kind)};
}

ErrorKind KindOf(const arrow::Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return detail->kind();
  if (status.IsOutOfMemory()) return ErrorKind::kResourceExhausted;
  if (status.IsCancelled()) return ErrorKind::kCancelled;
  return ErrorKind::kInternal;
}

bool HasErrorKind(const arrow::Status& status) { return DetailOf(status) != nullptr; }

}  // namespace hangar
