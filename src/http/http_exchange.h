#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/authenticator.h"
#include "base/mutex.h"
#include "http/http_connection.h"
#include "http/http_context.h"
#include "http/http_message.h"
#include "http/routes.h"
#include "metrics/call_metrics.h"

struct MHD_Connection;

namespace hangar {

/// How many requests are under way. Thread-safe.
class RunningExchanges {
 public:
  void Begin() HANGAR_EXCLUDES(mutex_);
  void End() HANGAR_EXCLUDES(mutex_);
  /// Waits until there are none; false when there are still some at that time.
  bool WaitForNone(std::chrono::steady_clock::time_point until) HANGAR_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  CondVar changed_;
  int64_t count_ HANGAR_GUARDED_BY(mutex_) = 0;
};

/// What all exchanges of a door share.
struct HttpDoorState {
  HttpContext context;
  std::span<const HttpRoute> routes;
  std::shared_ptr<Authenticator> authenticator;  ///< nullptr: everybody is anonymous.
  std::shared_ptr<CallObserver> observer;        ///< nullptr: nobody wants to know.
  std::vector<CallObserver::Method> methods;     ///< Beside `routes`; the last: of no route.
  std::vector<std::string> cors_origins;
  std::atomic<bool> is_draining = false;   ///< New calls are turned away.
  std::atomic<bool> is_cancelled = false;  ///< Running ones end.
  RunningExchanges running;
};

/// One request and its answer, from the request line until the answer was sent, on the thread of
/// its connection.
class HttpExchange {
 public:
  /// What Handle tells libmicrohttpd: to go on, or to close the connection at once.
  enum class Next { kContinue, kClose };

  HttpExchange(std::shared_ptr<HttpDoorState> door, std::shared_ptr<HttpConnection> connection,
               std::string target);
  ~HttpExchange();

  /// Called once when the headers are there, then for each piece of the body that came in, with
  /// `*size` bytes at `data` of which those that are left over are told there, then with 0 bytes.
  Next Handle(MHD_Connection* mhd, const char* method, const char* version, const char* data,
              size_t* size);

  /// The request is over; `was_sent`: the answer went out whole.
  void End(bool was_sent);

 private:
  /// The body breaks off, or the client does.
  struct Outcome {
    int status = 0;
    arrow::Status error;
  };

  Next HandleHeaders(MHD_Connection* mhd, const char* method, const char* version);
  Next HandleBody(MHD_Connection* mhd, std::string_view bytes);
  Next HandleEnd(MHD_Connection* mhd);

  void ReadHead(MHD_Connection* mhd, const char* method, const char* version);
  void Observe(size_t method);
  /// What can be said before the body, if anything: an answer, or that it is wanted.
  arrow::Result<std::optional<HttpResponse>> Begin(MHD_Connection* mhd);
  std::optional<HttpResponse> AnswerWithoutRoute(const FoundRoute& found) const;
  arrow::Status CheckHeaders(MHD_Connection* mhd) const;
  arrow::Status Authenticate(MHD_Connection* mhd);
  arrow::Result<std::optional<HttpResponse>> BeginBody();
  int64_t BodyBytesMax() const;
  HttpResponse TooLarge() const;

  HttpResponse Problem(const arrow::Status& status) const;
  void AddCommonHeaders(HttpResponse* response) const;
  Next Send(MHD_Connection* mhd, HttpResponse response);
  /// Answers in the middle of a body, of which more comes than is worth waiting for.
  Next SendAtOnce(MHD_Connection* mhd, HttpResponse response);

  const std::shared_ptr<HttpDoorState> door_;
  const std::shared_ptr<HttpConnection> connection_;
  const std::string target_;
  HttpRequest request_;
  std::string traceparent_;
  const HttpRoute* route_ = nullptr;
  bool has_headers_ = false;
  bool has_body_ = false;
  bool is_counted_ = false;
  bool lingers_ = false;  // The answer went out before the body came in.
  std::unique_ptr<HttpBodyReceiver> receiver_;
  std::optional<HttpResponse> answer_;  // Known before the request is over.
  int64_t received_bytes_ = 0;
  int64_t passed_over_bytes_ = 0;  // Of a body that was refused.
  std::shared_ptr<void> held_;     // Until the answer was sent.
  int64_t system_bytes_ = 0;       // Of the answer, which the service does not see.
  std::unique_ptr<ObservedCall> observed_;
  const std::shared_ptr<Outcome> outcome_ = std::make_shared<Outcome>();
};

}  // namespace hangar
