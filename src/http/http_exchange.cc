#include "http/http_exchange.h"

#include <microhttpd.h>
#include <sys/socket.h>

#include <charconv>
#include <format>
#include <utility>

#include <gnutls/gnutls.h>

#include "base/error.h"
#include "base/text.h"
#include "base/trace_context.h"
#include "http/cors.h"
#include "http/header_text.h"
#include "http/mhd_response.h"
#include "http/problem.h"
#include "http/target.h"

namespace hangar {
namespace {

constexpr size_t kHeaderBytesMax = 64 << 10;
constexpr size_t kShortBodyBytesMax = 64 << 10;
// Of the rest of a body that was refused: so much is waited for rather than to break it off.
constexpr int64_t kPassedOverBytesMax = 1 << 20;

MHD_Result TakeHeader(void* closure, enum MHD_ValueKind, const char* key, const char* value) {
  auto& headers = *static_cast<HttpHeaders*>(closure);
  headers.emplace_back(key, value != nullptr ? value : "");
  return MHD_YES;
}

// nullopt where no length is said.
std::optional<int64_t> ContentLength(const HttpRequest& request) {
  const auto text = request.Header("Content-Length");
  if (!text) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  // libmicrohttpd has checked that it is a number.
  return error == std::errc() && end == text->data() + text->size() ? value : INT64_MAX;
}

std::string JoinMethods(const std::vector<std::string_view>& methods) {
  std::string joined;
  for (const std::string_view method : methods) {
    joined += (joined.empty() ? "" : ", ") + std::string(method);
  }
  return joined;
}

bool NamesVersion(const HttpRequest& request) {
  return request.Header("If-Match") || request.Header("If-None-Match");
}

// The answer as it goes over the wire, for where libmicrohttpd has no way to send it.
std::string WireText(const HttpResponse& response) {
  std::string text =
      std::format("HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Length: {}\r\n", response.status,
                  HttpStatusTitle(response.status), response.text.size());
  for (const auto& [name, value] : response.headers) {
    if (!EqualsIgnoringCase(name, "Connection")) text += name + ": " + value + "\r\n";
  }
  return text + "\r\n" + response.text;
}

void SendText(MHD_Connection* mhd, int descriptor, bool is_encrypted, std::string_view text) {
  if (!is_encrypted) {
    static_cast<void>(::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL));
    return;
  }
  const auto* const info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  static_cast<void>(gnutls_record_send(static_cast<gnutls_session_t>(info->tls_session),
                                       text.data(), text.size()));
}

}  // namespace

void RunningExchanges::Begin() {
  const MutexLock lock(mutex_);
  ++count_;
}

void RunningExchanges::End() {
  const MutexLock lock(mutex_);
  if (--count_ == 0) changed_.NotifyAll();
}

bool RunningExchanges::WaitForNone(std::chrono::steady_clock::time_point until) {
  const MutexLock lock(mutex_);
  while (count_ > 0) {
    if (!changed_.WaitUntil(mutex_, until)) return count_ == 0;
  }
  return true;
}

HttpExchange::HttpExchange(std::shared_ptr<HttpDoorState> door,
                           std::shared_ptr<HttpConnection> connection, std::string target)
    : door_(std::move(door)), connection_(std::move(connection)), target_(std::move(target)) {}

HttpExchange::~HttpExchange() {
  if (is_counted_) door_->running.End();
}

HttpExchange::Next HttpExchange::Handle(MHD_Connection* mhd, const char* method,
                                        const char* version, const char* data, size_t* size) {
  connection_->watched.Work();
  Next next = Next::kContinue;
  if (!has_headers_) {
    has_headers_ = true;
    next = HandleHeaders(mhd, method, version);
  } else if (*size > 0) {
    next = HandleBody(mhd, {data, *size});
    *size = 0;
  } else {
    next = HandleEnd(mhd);
  }
  connection_->watched.MoveBody();
  return next;
}

void HttpExchange::ReadHead(MHD_Connection* mhd, const char* method, const char* version) {
  request_.method = method;
  request_.is_http_1_0 = std::string_view(version) == "HTTP/1.0";
  request_.is_encrypted = connection_->tls != nullptr;
  MHD_get_connection_values(mhd, MHD_HEADER_KIND, TakeHeader, &request_.headers);
  const auto length = ContentLength(request_);
  has_body_ = request_.Header("Transfer-Encoding") || (length && *length > 0);
  const auto sent_trace = request_.Header("traceparent");
  const TraceContext trace =
      ContinueTrace(sent_trace ? std::optional<std::string_view>(*sent_trace) : std::nullopt);
  traceparent_ = trace.ToTraceparent();
  request_.address = connection_->address;
  request_.caller = {.peer = connection_->peer,
                     .is_cancelled =
                         [door = door_, connection = connection_] {
                           return door->is_cancelled || connection->IsGone();
                         },
                     .trace_id = trace.trace_id,
                     .activity = std::make_shared<CallActivity>()};
}

void HttpExchange::Observe(size_t method) {
  if (door_->observer == nullptr) return;
  observed_ = door_->observer->Begin(
      door_->methods[method], {.peer = connection_->peer, .trace_id = request_.caller.trace_id},
      [activity = request_.caller.activity] {
        return CallTraffic{.rows_in = activity->rows_in,
                           .bytes_in = activity->bytes_in,
                           .rows_out = activity->rows_out,
                           .bytes_out = activity->bytes_out};
      });
}

HttpExchange::Next HttpExchange::HandleHeaders(MHD_Connection* mhd, const char* method,
                                               const char* version) {
  ReadHead(mhd, method, version);
  auto begun = Begin(mhd);
  if (route_ == nullptr) Observe(door_->routes.size());
  if (!begun.ok()) begun = Problem(begun.status());
  if (!*begun) return Next::kContinue;
  if (!has_body_) {
    // Answered before the request's end, its connection would not be kept open.
    answer_ = **std::move(begun);
    return Next::kContinue;
  }
  lingers_ = true;
  return Send(mhd, **std::move(begun));
}

arrow::Status HttpExchange::CheckHeaders(MHD_Connection* mhd) const {
  const auto* const size = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  if (size != nullptr && size->header_size > kHeaderBytesMax) {
    return Error(ErrorKind::kInvalidArgument, "a request has {} bytes of headers at most",
                 kHeaderBytesMax);
  }
  return arrow::Status::OK();
}

std::optional<HttpResponse> HttpExchange::AnswerWithoutRoute(const FoundRoute& found) const {
  if (found.route != nullptr) return std::nullopt;
  const bool asks_for_methods = request_.method == "OPTIONS";
  if (asks_for_methods && (request_.path == "*" || !found.methods.empty())) {
    HttpResponse response{.status = 204};
    std::vector<std::string_view> methods = found.methods;
    if (methods.empty()) methods = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"};
    response.Add("Allow", JoinMethods(methods));
    if (request_.Header("Access-Control-Request-Method")) {
      AddPreflightHeaders(door_->cors_origins, request_, methods, &response);
    }
    return response;
  }
  if (found.methods.empty()) {
    return ProblemWith(404, Error(ErrorKind::kNotFound,
                                  "there is nothing at {}; /v1/openapi.json tells what there is",
                                  Quoted(request_.path)));
  }
  auto response = ProblemWith(
      405, Error(ErrorKind::kUnimplemented, "{} cannot be done with {}; what can is {}",
                 Quoted(request_.method), Quoted(request_.path), JoinMethods(found.methods)));
  response.Add("Allow", JoinMethods(found.methods));
  return response;
}

arrow::Status HttpExchange::Authenticate(MHD_Connection* mhd) {
  if (door_->authenticator == nullptr) return arrow::Status::OK();
  if (connection_->tls != nullptr && !connection_->certificate) {
    const auto* const info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    connection_->certificate =
        ClientCertificateOf(static_cast<gnutls_session_t>(info->tls_session));
  }
  ARROW_ASSIGN_OR_RAISE(
      request_.caller.identity,
      door_->authenticator->Authenticate({.peer = connection_->address,
                                          .authorization = request_.Header("Authorization"),
                                          .certificate = connection_->certificate}));
  return arrow::Status::OK();
}

arrow::Result<std::optional<HttpResponse>> HttpExchange::Begin(MHD_Connection* mhd) {
  if (const auto checked = CheckHeaders(mhd); !checked.ok()) return ProblemWith(431, checked);
  ARROW_ASSIGN_OR_RAISE(HttpTarget target, ParseHttpTarget(target_));
  request_.path = std::move(target.path);
  request_.query = std::move(target.query);
  ARROW_ASSIGN_OR_RAISE(FoundRoute found, FindRoute(door_->routes, request_.method, request_.path));
  if (auto answer = AnswerWithoutRoute(found)) return answer;
  route_ = found.route;
  request_.name = std::move(found.name);
  if (!route_->is_operations) {
    // Probes and scrapes come every few seconds, and tell nobody anything.
    Observe(static_cast<size_t>(route_ - door_->routes.data()));
    door_->running.Begin();
    is_counted_ = true;
    if (door_->is_draining) {
      return MakeError(ErrorKind::kUnavailable,
                       "the server is stopping; another one, or this one once it runs again, can "
                       "answer");
    }
  }
  if (!route_->is_public) ARROW_RETURN_NOT_OK(Authenticate(mhd));
  ARROW_RETURN_NOT_OK(CheckQuery(*route_, request_));
  if (!route_->takes.empty()) return BeginBody();
  ARROW_ASSIGN_OR_RAISE(auto answer, route_->answer(door_->context, request_));
  return answer;
}

int64_t HttpExchange::BodyBytesMax() const {
  return route_->begin != nullptr ? door_->context.upload_bytes
                                  : static_cast<int64_t>(kShortBodyBytesMax);
}

HttpResponse HttpExchange::TooLarge() const {
  return ProblemWith(413, Error(ErrorKind::kResourceExhausted,
                                "the body is larger than the {} bytes that this server takes here",
                                BodyBytesMax()));
}

arrow::Result<std::optional<HttpResponse>> HttpExchange::BeginBody() {
  if (ContentLength(request_).value_or(0) > BodyBytesMax()) return TooLarge();
  if (route_->begin != nullptr) {
    ARROW_ASSIGN_OR_RAISE(HttpBegunBody begun, route_->begin(door_->context, request_));
    receiver_ = std::move(begun.receiver);
    return std::move(begun.answer);
  }
  return std::nullopt;
}

HttpExchange::Next HttpExchange::HandleBody(MHD_Connection* mhd, std::string_view bytes) {
  if (answer_) {
    passed_over_bytes_ += static_cast<int64_t>(bytes.size());
    if (passed_over_bytes_ <= kPassedOverBytesMax) return Next::kContinue;
    return SendAtOnce(mhd, *std::exchange(answer_, std::nullopt));
  }
  received_bytes_ += static_cast<int64_t>(bytes.size());
  if (received_bytes_ > BodyBytesMax()) {
    receiver_.reset();
    answer_ = TooLarge();
    return Next::kContinue;
  }
  if (receiver_ == nullptr) {
    request_.body += bytes;
    return Next::kContinue;
  }
  const auto received = receiver_->Receive(bytes);
  if (received.ok()) return Next::kContinue;
  receiver_.reset();
  answer_ = Problem(received);
  return Next::kContinue;
}

HttpExchange::Next HttpExchange::HandleEnd(MHD_Connection* mhd) {
  if (answer_) return Send(mhd, *std::exchange(answer_, std::nullopt));
  auto answer =
      receiver_ != nullptr ? receiver_->Finish() : route_->answer(door_->context, request_);
  receiver_.reset();
  return Send(mhd, answer.ok() ? *std::move(answer) : Problem(answer.status()));
}

HttpResponse HttpExchange::Problem(const arrow::Status& status) const {
  const ErrorKind kind = KindOf(status);
  const bool is_condition =
      kind == ErrorKind::kFailedPrecondition || kind == ErrorKind::kAlreadyExists;
  if (is_condition && NamesVersion(request_)) return ProblemWith(412, status);
  auto response = ProblemOf(status, *door_->context.logger);
  if (kind == ErrorKind::kUnauthenticated && door_->authenticator != nullptr) {
    response.Add("WWW-Authenticate", door_->authenticator->Challenge());
  }
  return response;
}

void HttpExchange::AddCommonHeaders(HttpResponse* response) const {
  response->Add("X-Content-Type-Options", "nosniff");
  response->Add("traceparent", traceparent_);
  if (request_.method != "OPTIONS") AddCorsHeaders(door_->cors_origins, request_, response);
  if (door_->is_draining || lingers_) response->Add("Connection", "close");
}

HttpExchange::Next HttpExchange::Send(MHD_Connection* mhd, HttpResponse response) {
  AddCommonHeaders(&response);
  outcome_->status = response.status;
  outcome_->error = response.error;
  const int status = response.status;
  BodyEvents events{
      .connection =
          std::shared_ptr<ConnectionWatch::Connection>(connection_, &connection_->watched),
      .on_error =
          [outcome = outcome_, logger = door_->context.logger](const arrow::Status& error) {
            outcome->error = ProblemOf(error, *logger).error;
          },
      .on_system_sends = [this](int64_t bytes) { system_bytes_ = bytes; },
  };
  held_ = std::move(response.held);
  const MhdResponse made =
      MakeMhdResponse(std::move(response), request_.is_head(), std::move(events));
  if (made == nullptr) return Next::kClose;
  const auto queued = MHD_queue_response(mhd, static_cast<unsigned>(status), made.get());
  return queued == MHD_YES ? Next::kContinue : Next::kClose;
}

HttpExchange::Next HttpExchange::SendAtOnce(MHD_Connection* mhd, HttpResponse response) {
  AddCommonHeaders(&response);
  outcome_->status = response.status;
  outcome_->error = response.error;
  const int descriptor = connection_->watched.descriptor();
  SendText(mhd, descriptor, connection_->tls != nullptr, WireText(response));
  LingerOn(descriptor);
  return Next::kClose;
}

void HttpExchange::End(bool was_sent) {
  if (!has_headers_) return;
  receiver_.reset();
  held_.reset();
  if (was_sent) request_.caller.activity->bytes_out += system_bytes_;
  if (lingers_ && was_sent) LingerOn(connection_->watched.descriptor());
  if (observed_ == nullptr) return;
  CallOutcome outcome{.dataset = request_.caller.activity->dataset(),
                      .http_status = outcome_->status};
  if (request_.caller.identity) outcome.identity = request_.caller.identity->ToString();
  if (!outcome_->error.ok()) {
    outcome.error = KindOf(outcome_->error);
    outcome.reason = outcome_->error.message();
  } else if (!was_sent) {
    outcome.error = ErrorKind::kCancelled;
    outcome.reason = "the client went away, or stalled, before the call was complete";
  }
  observed_->End(outcome);
}

}  // namespace hangar
