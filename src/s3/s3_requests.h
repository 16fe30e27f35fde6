#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>

#include "base/log.h"
#include "s3/credentials.h"
#include "s3/http_exchange.h"
#include "s3/retry.h"
#include "s3/s3_error.h"
#include "s3/s3_location.h"
#include "s3/uri_encoding.h"

namespace hangar {

class Metrics;

/// A request to the bucket, or to an object in it.
struct S3Call {
  std::string operation;  ///< As S3 names it, for metrics and the log.
  std::string method;
  std::optional<std::string> key;  ///< nullopt: the bucket itself.
  UriQuery query;
  std::vector<std::string> headers;
  std::string_view body;
  char* sink = nullptr;  ///< As in S3HttpRequest.
  size_t sink_bytes = 0;
  size_t body_bytes_max = 1 << 20;
  std::chrono::seconds stall_timeout{0};
  bool is_repeatable = true;    ///< False: not sent again once it may have been carried out.
  bool may_hide_error = false;  ///< An answer of 200 may be an error.
};

struct S3Answer {
  S3HttpResponse response;
  std::optional<S3Problem> problem;  ///< nullopt: it went well.
};

/// Sends signed requests to one bucket, repeats what may be repeated, and counts. Thread-safe.
class S3Requests {
 public:
  S3Requests(const S3Location& location, HttpSettings http, RetrySettings retry,
             std::unique_ptr<CredentialKeeper> credentials, std::shared_ptr<Logger> logger,
             Metrics* metrics);

  /// Blocks until there is an answer, or no other attempt. `attempts` counts on, so that
  /// several calls share what one is allowed. An error only where there are no credentials, or the
  /// key has a segment "." or "..", which libcurl would take away before it signs.
  arrow::Result<S3Answer> Send(const S3Call& call, Attempts* attempts);

  /// Waits before a call is sent once more after `problem`; false when it shall not be.
  bool WaitForNext(const S3Call& call, const S3Answer& answer, const Attempts& attempts);

  /// What answers brought of an object was damaged, and is asked for again.
  void NoteDamaged(const std::string& object);

 private:
  arrow::Result<S3Answer> SendOnce(const S3Call& call);
  std::string UrlOf(const S3Call& call) const;
  void LogFailure(const S3Call& call, const S3Problem& problem, int attempt);
  void Count(const S3Call& call, const S3HttpResponse& response, std::chrono::nanoseconds duration);

  const std::string bucket_url_;
  const std::string region_;
  const std::shared_ptr<Logger> logger_;
  Metrics* const metrics_;
  RetryPolicy retry_;
  const std::unique_ptr<CredentialKeeper> credentials_;
  HttpConnections connections_;
};

}  // namespace hangar
