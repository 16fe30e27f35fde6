#include "s3/s3_error.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "base/error.h"
#include "s3/s3_xml.h"

namespace hangar {
namespace {

using Fault = S3HttpResponse::Fault;

// Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

bool IsOneOf(const std::string& code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

bool IsSlowDown(const S3Problem& problem) {
  return problem.status == 429 ||
         IsOneOf(problem.code, {"SlowDown", "TooManyRequests", "RequestLimitExceeded",
                                "ThrottlingException", "Throttling"});
}

// The body did not come as it was sent.
bool IsDamagedOnTheWay(const S3Problem& problem) {
  return IsOneOf(problem.code, {"RequestTimeout", "BadDigest", "IncompleteBody",
                                "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"});
}

bool IsServersFault(const S3Problem& problem) {
  return problem.status == 500 || problem.status == 502 || problem.status == 503 ||
         problem.status == 504 || IsOneOf(problem.code, {"InternalError", "ServiceUnavailable"});
}

arrow::Status PermissionDenied(const S3Problem& problem, const std::string& subject) {
  if (problem.code == "RequestTimeTooSkewed") {
    return Error(ErrorKind::kPermissionDenied,
                 "the object store's clock and this machine's differ by too much");
  }
  if (AreCredentialsRefused(problem) || problem.code == "SignatureDoesNotMatch") {
    return Error(ErrorKind::kPermissionDenied, "the object store refuses the credentials ({})",
                 problem.code);
  }
  if (problem.code == "QuotaExceeded") {
    return Error(ErrorKind::kResourceExhausted, "{}: a quota of the object store is used up",
                 subject);
  }
  return Error(ErrorKind::kPermissionDenied, "{}: the object store does not permit it", subject);
}

arrow::Status NotFound(const S3Problem& problem, const std::string& subject) {
  if (problem.code == "NoSuchBucket") {
    return Error(ErrorKind::kFailedPrecondition, "the object store has no such bucket");
  }
  const bool is_upload = problem.code == "NoSuchUpload";
  return Error(ErrorKind::kNotFound, "{}{} is not in the object store",
               is_upload ? "the upload of " : "", subject);
}

}  // namespace

std::optional<S3Problem> ProblemOf(const S3HttpResponse& response, bool may_hide_error) {
  S3Problem problem{
      .fault = response.fault, .status = response.status, .details = response.fault_text};
  if (response.fault != Fault::kNone) return problem;
  const bool is_success = response.status >= 200 && response.status < 300;
  if (is_success && !may_hide_error) return std::nullopt;
  const auto document = ParseErrorDocument(response.body);
  if (is_success && !document && !response.body.empty()) return std::nullopt;
  if (document) {
    problem.code = document->code;
    problem.details = document->message;
  }
  if (is_success && !document) {
    problem.fault = Fault::kLost;
    problem.details = "an answer without a body";
  }
  return problem;
}

bool IsTransient(const S3Problem& problem) {
  if (problem.fault != Fault::kNone) return problem.fault != Fault::kRefused;
  return IsSlowDown(problem) || IsDamagedOnTheWay(problem) || IsServersFault(problem) ||
         IsOneOf(problem.code, {"OperationAborted", "ConditionalRequestConflict"});
}

bool MayHaveHappened(const S3Problem& problem) {
  if (problem.fault != Fault::kNone) return problem.fault == Fault::kLost;
  if (IsSlowDown(problem) || IsDamagedOnTheWay(problem)) return false;
  return IsServersFault(problem) || problem.status == 409;
}

bool IsConflict(const S3Problem& problem) {
  if (problem.fault != Fault::kNone) return false;
  return problem.status == 412 || problem.status == 409 ||
         IsOneOf(problem.code, {"PreconditionFailed", "ConditionalRequestConflict"});
}

bool AreCredentialsRefused(const S3Problem& problem) {
  return problem.fault == Fault::kNone &&
         IsOneOf(problem.code, {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired",
                                "InvalidToken", "InvalidAccessKeyId", "InvalidClientTokenId"});
}

arrow::Status ToStatus(const S3Problem& problem, const std::string& subject) {
  if (problem.fault == Fault::kRefused) {
    return Error(ErrorKind::kUnavailable,
                 "{}: the object store cannot be spoken with; the log says why", subject);
  }
  if (IsTransient(problem) && !IsConflict(problem)) {
    return Error(ErrorKind::kUnavailable, "{}: the object store does not answer; try again",
                 subject);
  }
  if (IsConflict(problem)) {
    return Error(ErrorKind::kFailedPrecondition, "{} was changed in the object store meanwhile",
                 subject);
  }
  switch (problem.status) {
    case 401:
    case 403:
      return PermissionDenied(problem, subject);
    case 404:
      return NotFound(problem, subject);
    case 416:
      return Error(ErrorKind::kInvalidArgument, "{} has no such range", subject);
    case 501:
      return Error(ErrorKind::kUnimplemented, "{}: the object store does not offer this ({})",
                   subject, problem.code);
    case 507:
      return Error(ErrorKind::kStorageFull, "{}: the object store is full", subject);
    default:
      break;
  }
  if (AreCredentialsRefused(problem)) return PermissionDenied(problem, subject);
  const bool is_elsewhere =
      problem.status / 100 == 3 ||
      IsOneOf(problem.code, {"AuthorizationHeaderMalformed", "IllegalLocationConstraintException"});
  if (is_elsewhere) {
    return Error(ErrorKind::kInvalidArgument,
                 "the bucket is in another region or at another endpoint of the object store");
  }
  if (problem.status / 100 == 4) {
    return Error(ErrorKind::kInvalidArgument, "{}: the object store refuses the request ({} {})",
                 subject, problem.status, problem.code);
  }
  return Error(ErrorKind::kInternal, "{}: the object store answers with the code {}", subject,
               problem.status);
}

}  // namespace hangar
