#include "http/http_door.h"

#include <microhttpd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <utility>

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/error.h"
#include "base/host_port.h"
#include "base/network_address.h"
#include "http/connection_watch.h"
#include "http/http_connection.h"
#include "http/http_exchange.h"
#include "http/listen_socket.h"
#include "http/routes.h"

namespace hangar {
namespace {

// What a connection may hold of headers, and of a body on its way in or out.
constexpr size_t kConnectionBytes = 256 << 10;
// As strict as RFC 9112 lets a server be: what could be read in two ways is refused.
constexpr int kDiscipline = 1;
constexpr char kTlsPriorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

std::shared_ptr<HttpDoorState> MakeState(std::shared_ptr<DatasetService> service,
                                         const HttpDoorOptions& options,
                                         std::shared_ptr<Logger> logger) {
  auto state = std::make_shared<HttpDoorState>();
  state->context = {.service = std::move(service),
                    .limits = options.limits,
                    .logger = std::move(logger),
                    .upload_bytes = options.upload_bytes,
                    .metrics_text = options.metrics_text,
                    .is_ready = options.is_ready};
  state->routes = options.operations_only ? OperationsRoutes() : HttpRoutes();
  state->authenticator = options.authenticator;
  state->observer = options.observer;
  state->cors_origins = options.cors_origins;
  if (state->observer != nullptr) {
    for (const HttpRoute& route : state->routes) {
      state->methods.push_back(state->observer->AddMethod("http", route.operation));
    }
    state->methods.push_back(state->observer->AddMethod("http", "Other"));
  }
  return state;
}

}  // namespace

// libmicrohttpd's daemon and what it calls back.
class HttpDoor::Server {
 public:
  Server(std::shared_ptr<HttpDoorState> state, std::unique_ptr<ReloadedHttpTls> tls,
         const HttpDoorOptions& options)
      : state_(std::move(state)),
        tls_(std::move(tls)),
        watch_(options.stall_timeout, state_->context.logger) {}

  ~Server() { Stop(std::chrono::milliseconds(0)); }

  arrow::Status Start(ListenSocket listening, const HttpDoorOptions& options);

  void Stop(std::chrono::milliseconds grace) {
    if (daemon_ == nullptr) return;
    state_->is_draining = true;
    state_->running.WaitForNone(std::chrono::steady_clock::now() + grace);
    state_->is_cancelled = true;
    MHD_stop_daemon(std::exchange(daemon_, nullptr));
  }

 private:
  static void Log(void* closure, const char* format, va_list arguments)
      __attribute__((format(printf, 2, 0)));
  static void* TakeTarget(void* closure, const char* target, MHD_Connection* connection);
  static MHD_Result Handle(void* closure, MHD_Connection* connection, const char* url,
                           const char* method, const char* version, const char* data, size_t* size,
                           void** exchange);
  static void Complete(void* closure, MHD_Connection* connection, void** exchange,
                       MHD_RequestTerminationCode code);
  static void Notify(void* closure, MHD_Connection* connection, void** context,
                     MHD_ConnectionNotificationCode code);

  const std::shared_ptr<HttpDoorState> state_;
  const std::unique_ptr<ReloadedHttpTls> tls_;
  ConnectionWatch watch_;
  MHD_Daemon* daemon_ = nullptr;
};

namespace {

// The target is decoded by us, who know what separates and what is part of a name.
size_t LeaveEncoded(void*, MHD_Connection*, char* text) {
  return std::char_traits<char>::length(text);
}

// Each session gets its credentials when its connection is accepted; these are never asked.
int NoCredentials(gnutls_session_t, const gnutls_datum_t*, int, const gnutls_pk_algorithm_t*, int,
                  gnutls_pcert_st**, unsigned*, gnutls_privkey_t*) {
  return -1;
}

std::shared_ptr<HttpConnection>& ConnectionIn(void* context) {
  return *static_cast<std::shared_ptr<HttpConnection>*>(context);
}

}  // namespace

void HttpDoor::Server::Log(void* closure, const char* format, va_list arguments) {
  const auto& server = *static_cast<const Server*>(closure);
  Logger& logger = *server.state_->context.logger;
  if (!logger.Logs(LogLevel::kDebug)) return;
  char text[256];
  const int length = std::vsnprintf(text, sizeof(text), format, arguments);
  std::string message(text, static_cast<size_t>(std::clamp<int>(length, 0, sizeof(text) - 1)));
  while (message.ends_with('\n')) message.pop_back();
  logger.Write(LogLevel::kDebug, "libmicrohttpd", {{"text", message}});
}

void* HttpDoor::Server::TakeTarget(void* closure, const char* target, MHD_Connection* connection) {
  const auto& server = *static_cast<const Server*>(closure);
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return new HttpExchange(server.state_, ConnectionIn(info->socket_context), target);
}

MHD_Result HttpDoor::Server::Handle(void*, MHD_Connection* connection, const char*,
                                    const char* method, const char* version, const char* data,
                                    size_t* size, void** exchange) {
  const auto next =
      static_cast<HttpExchange*>(*exchange)->Handle(connection, method, version, data, size);
  return next == HttpExchange::Next::kContinue ? MHD_YES : MHD_NO;
}

void HttpDoor::Server::Complete(void*, MHD_Connection* connection, void** exchange,
                                MHD_RequestTerminationCode code) {
  const std::unique_ptr<HttpExchange> ended(static_cast<HttpExchange*>(*exchange));
  *exchange = nullptr;
  if (ended) ended->End(code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
  const auto* const info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  ConnectionIn(info->socket_context)->watched.WaitForRequest();
}

void HttpDoor::Server::Notify(void* closure, MHD_Connection* connection, void** context,
                              MHD_ConnectionNotificationCode code) {
  auto& server = *static_cast<Server*>(closure);
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    *context = new std::shared_ptr<HttpConnection>(
        MeetConnection(connection, &server.watch_, server.tls_.get()));
    return;
  }
  const std::unique_ptr<std::shared_ptr<HttpConnection>> ended(&ConnectionIn(*context));
  (*ended)->is_over = true;
  (*ended)->watched.Leave();
  *context = nullptr;
}

arrow::Status HttpDoor::Server::Start(ListenSocket listening, const HttpDoorOptions& options) {
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                   MHD_USE_ITC | MHD_USE_ERROR_LOG;
  if (tls_ != nullptr) flags |= MHD_USE_TLS;
  const auto connections =
      static_cast<unsigned>(std::clamp<int64_t>(options.connections, 1, 1 << 20));
  std::vector<MHD_OptionItem> tls_items;
  if (tls_ != nullptr) {
    tls_items.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(kTlsPriorities)});
    // libmicrohttpd wants to know of some certificate.
    tls_items.push_back(
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&NoCredentials)});
  }
  tls_items.push_back({MHD_OPTION_END, 0, nullptr});
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Server::Handle, this,
      // The first, so that it is told of what is wrong with the others.
      MHD_OPTION_EXTERNAL_LOGGER, &Server::Log, this, MHD_OPTION_LISTEN_SOCKET, listening.fd(),
      MHD_OPTION_NOTIFY_CONNECTION, &Server::Notify, this, MHD_OPTION_URI_LOG_CALLBACK,
      &Server::TakeTarget, this, MHD_OPTION_NOTIFY_COMPLETED, &Server::Complete, this,
      MHD_OPTION_UNESCAPE_CALLBACK, &LeaveEncoded, nullptr, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      kConnectionBytes, MHD_OPTION_CONNECTION_LIMIT, connections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, connections - connections / 4,
      MHD_OPTION_CLIENT_DISCIPLINE_LVL, kDiscipline, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
      MHD_OPTION_ARRAY, tls_items.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) {
    return Error(ErrorKind::kFailedPrecondition,
                 "cannot serve HTTP on {}: the system gave no thread or descriptor for it",
                 options.listen);
  }
  listening.Release();
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<HttpDoor>> HttpDoor::Start(std::shared_ptr<DatasetService> service,
                                                         const HttpDoorOptions& options,
                                                         std::shared_ptr<Logger> logger) {
  const auto parsed = ParseHostPort(options.listen);
  if (!parsed.ok()) {
    return Error(ErrorKind::kInvalidArgument, "cannot serve HTTP on {}: {}", options.listen,
                 parsed.status().message());
  }
  HostPort address = *parsed;
  const std::string scheme = options.tls.is_on() ? "https://" : "http://";
  ARROW_RETURN_NOT_OK(CheckEncryption(
      {.uri = scheme + address.ToString(),
       .host = address.host,
       .is_encrypted = options.tls.is_on(),
       .is_authenticated = options.authenticator != nullptr && options.authenticator->is_required(),
       .insecure = options.insecure}));
  std::unique_ptr<ReloadedHttpTls> tls;
  if (options.tls.is_on()) {
    ARROW_ASSIGN_OR_RAISE(tls, ReloadedHttpTls::Make(options.tls, logger));
  }
  ARROW_ASSIGN_OR_RAISE(auto listening, ListenSocket::Open(address));
  address.port = listening.port();
  auto server = std::make_unique<Server>(MakeState(std::move(service), options, std::move(logger)),
                                         std::move(tls), options);
  ARROW_RETURN_NOT_OK(server->Start(std::move(listening), options));
  return std::unique_ptr<HttpDoor>(new HttpDoor(std::move(server), scheme + address.ToString()));
}

HttpDoor::HttpDoor(std::unique_ptr<Server> server, std::string uri)
    : server_(std::move(server)), uri_(std::move(uri)) {}

HttpDoor::~HttpDoor() = default;

arrow::Status HttpDoor::Shutdown(std::chrono::milliseconds grace) {
  server_->Stop(grace);
  return arrow::Status::OK();
}

}  // namespace hangar
