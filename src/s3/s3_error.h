#pragma once

#include <optional>
#include <string>

#include <arrow/status.h>

#include "s3/http_exchange.h"

namespace hangar {

/// What a request to the store failed with.
struct S3Problem {
  S3HttpResponse::Fault fault = S3HttpResponse::Fault::kNone;
  int status = 0;
  std::string code;     ///< S3's, for example "NoSuchKey". Empty where the answer had none.
  std::string details;  ///< For the log: the store's message, or what libcurl says.
};

/// nullopt where the answer is one of success. With `may_hide_error` an <Error> in an answer of 200
/// is one as well, and an answer without a body is none.
std::optional<S3Problem> ProblemOf(const S3HttpResponse& response, bool may_hide_error);

/// The same request may work when it is sent again.
bool IsTransient(const S3Problem& problem);

/// The store may have done what the request asked for, now or soon.
bool MayHaveHappened(const S3Problem& problem);

/// A condition of the request does not hold, or another request was in the way.
bool IsConflict(const S3Problem& problem);

/// The store does not take the credentials; others may do.
bool AreCredentialsRefused(const S3Problem& problem);

/// The error for the caller; `subject` is what its sentence begins with, for example "'a.parquet'".
arrow::Status ToStatus(const S3Problem& problem, const std::string& subject);

}  // namespace hangar
