#include "s3/s3_requests.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "metrics/metrics.h"

namespace hangar {
namespace {

// As the signature has it where the body is not part of it; Content-MD5 is, and vouches for it.
constexpr const char* kUnsignedBody = "x-amz-content-sha256: UNSIGNED-PAYLOAD";
constexpr const char* kEmptyBody =
    "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// "https://host:9000" -> "https://bucket.host:9000".
std::string VirtualHostUrl(const S3Location& location) {
  const size_t host = location.endpoint.find("://") + 3;
  return location.endpoint.substr(0, host) + location.bucket + "." + location.endpoint.substr(host);
}

// Seconds, or a date.
std::chrono::milliseconds RetryAfter(const S3HttpResponse& response) {
  const std::string text = response.Header("retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty()) return {};
  if (error == std::errc() && end == text.data() + text.size()) {
    return std::chrono::seconds(std::max(seconds, 0));
  }
  const auto date = ParseHttpDate(text);
  if (!date) return {};
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(*date - Now()));
}

// What callers ask for on purpose.
bool IsOrdinary(const S3Problem& problem) {
  return problem.fault == S3HttpResponse::Fault::kNone &&
         (problem.status == 404 || problem.status == 412 || problem.status == 416);
}

std::string StatusClass(const S3HttpResponse& response) {
  if (response.fault != S3HttpResponse::Fault::kNone) return "none";
  return std::to_string(response.status / 100) + "xx";
}

}  // namespace

S3Requests::S3Requests(const S3Location& location, HttpSettings http, RetrySettings retry,
                       std::unique_ptr<CredentialKeeper> credentials,
                       std::shared_ptr<Logger> logger, Metrics* metrics)
    : bucket_url_(location.path_style ? location.endpoint + "/" + location.bucket
                                      : VirtualHostUrl(location)),
      region_(location.region),
      logger_(std::move(logger)),
      metrics_(metrics),
      retry_(std::move(retry)),
      credentials_(std::move(credentials)),
      connections_(std::move(http)) {}

std::string S3Requests::UrlOf(const S3Call& call) const {
  std::string url = bucket_url_ + "/" + EncodedPath(call.key.value_or(""));
  if (!call.query.empty()) url += "?" + EncodedQuery(call.query);
  return url;
}

arrow::Result<S3Answer> S3Requests::SendOnce(const S3Call& call) {
  if (call.key && (call.key->empty() || HasDotSegment(*call.key))) {
    return Error(ErrorKind::kInvalidArgument,
                 "an object's key is not empty and has no segment '.' or '..'");
  }
  // An ETag may have come from anybody; one with the end of a line in it would add a header.
  for (const std::string& header : call.headers) {
    if (std::ranges::any_of(header, [](char c) { return c >= 0 && c < ' '; })) {
      return Error(ErrorKind::kInvalidArgument, "a version has a control character in it");
    }
  }
  S3HttpRequest request{.method = call.method,
                        .url = UrlOf(call),
                        .headers = call.headers,
                        .body = call.body,
                        .sink = call.sink,
                        .sink_bytes = call.sink_bytes,
                        .body_bytes_max = call.body_bytes_max,
                        .stall_timeout = call.stall_timeout};
  request.headers.push_back(call.body.empty() ? kEmptyBody : kUnsignedBody);
  if (call.method == "PUT" || call.method == "POST") {
    request.headers.push_back("Content-Type: application/octet-stream");
  }
  bool is_rejected = false;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(S3Credentials credentials, credentials_->Get());
    const HttpSignature signature{
        .credentials = std::move(credentials), .region = region_, .service = "s3"};
    request.signature = &signature;
    const auto begin = std::chrono::steady_clock::now();
    S3Answer answer{.response = connections_.Exchange(request)};
    Count(call, answer.response, std::chrono::steady_clock::now() - begin);
    answer.problem = ProblemOf(answer.response, call.may_hide_error);
    const bool is_refused = answer.problem && AreCredentialsRefused(*answer.problem);
    if (!is_refused || is_rejected || !credentials_->Reject(signature.credentials)) return answer;
    is_rejected = true;
  }
}

arrow::Result<S3Answer> S3Requests::Send(const S3Call& call, Attempts* attempts) {
  while (true) {
    ++attempts->made;
    ARROW_ASSIGN_OR_RAISE(S3Answer answer, SendOnce(call));
    if (!answer.problem) {
      retry_.Succeeded();
      return answer;
    }
    // A read has no condition that a conflict could refuse: radosgw answers it to a suffix range
    // while the object is being replaced.
    const bool is_read = call.method == "GET" || call.method == "HEAD";
    const bool is_passing =
        IsTransient(*answer.problem) || (is_read && answer.problem->status == 409);
    if (!is_passing) {
      if (!IsOrdinary(*answer.problem)) LogFailure(call, *answer.problem, attempts->made);
      return answer;
    }
    if (!call.is_repeatable && MayHaveHappened(*answer.problem)) return answer;
    if (!WaitForNext(call, answer, *attempts)) return answer;
  }
}

bool S3Requests::WaitForNext(const S3Call& call, const S3Answer& answer, const Attempts& attempts) {
  if (!retry_.WaitForNext(attempts, RetryAfter(answer.response))) {
    LogFailure(call, *answer.problem, attempts.made);
    return false;
  }
  if (metrics_) {
    metrics_
        ->Counter("hangar_s3_retries_total", "Requests to the object store that were repeated.",
                  {{"operation", call.operation}})
        .Add();
  }
  return true;
}

void S3Requests::NoteDamaged(const std::string& object) {
  if (logger_) {
    logger_->Warning("what the object store sent of an object is damaged, and is asked for again",
                     {{"object", object}});
  }
  if (metrics_) {
    metrics_
        ->Counter("hangar_s3_damaged_answers_total",
                  "Times that an object was read again because what was read of it was damaged.")
        .Add();
  }
}

void S3Requests::LogFailure(const S3Call& call, const S3Problem& problem, int attempt) {
  if (!logger_) return;
  logger_->Warning("the object store did not do what it was asked for",
                   {{"operation", call.operation},
                    {"status", std::to_string(problem.status), true},
                    {"code", problem.code},
                    {"details", problem.details},
                    {"attempts", std::to_string(attempt), true}});
}

void S3Requests::Count(const S3Call& call, const S3HttpResponse& response,
                       std::chrono::nanoseconds duration) {
  if (!metrics_) return;
  metrics_
      ->Counter("hangar_s3_requests_total", "Requests to the object store, by their answers.",
                {{"operation", call.operation}, {"status", StatusClass(response)}})
      .Add();
  metrics_
      ->Durations("hangar_s3_request_duration_seconds",
                  "How long requests to the object store take, each attempt by itself.",
                  {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
                  {{"operation", call.operation}})
      .Observe(duration);
  metrics_->Counter("hangar_s3_sent_bytes_total", "Bodies of requests to the object store.")
      .Add(static_cast<double>(call.body.size()));
  metrics_->Counter("hangar_s3_received_bytes_total", "Bodies of the object store's answers.")
      .Add(static_cast<double>(response.sink_bytes + response.body.size()));
}

}  // namespace hangar
