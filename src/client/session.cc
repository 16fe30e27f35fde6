#include "client/session.h"

#include <algorithm>
#include <utility>

#include <arrow/flight/client_middleware.h>
#include <arrow/util/uri.h>

#include "base/error.h"
#include "base/text.h"
#include "client/flight_error.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

constexpr std::string_view kBearer = "Bearer ";
constexpr char kHeader[] = "authorization";

// What an HTTP header's value can hold of a token; RFC 6750 allows no more.
bool IsToken(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
}

class BearerMiddleware final : public flight::ClientMiddleware {
 public:
  explicit BearerMiddleware(std::string token) : token_(std::move(token)) {}

  void SendingHeaders(flight::AddCallHeaders* headers) override {
    headers->AddHeader(kHeader, std::string(kBearer) + token_);
  }
  void ReceivedHeaders(const flight::CallHeaders& /*headers*/) override {}
  void CallCompleted(const arrow::Status& /*status*/) override {}

 private:
  const std::string token_;
};

bool ShowsSomebody(const ClientOptions& options) {
  return !options.token.empty() || !options.user.empty();
}

}  // namespace

class Session::Token final : public flight::ClientMiddlewareFactory {
 public:
  explicit Token(std::string token) : token_(std::move(token)) {}

  void StartCall(const flight::CallInfo& /*info*/,
                 std::unique_ptr<flight::ClientMiddleware>* middleware) override {
    std::string token = Get();
    if (!token.empty()) *middleware = std::make_unique<BearerMiddleware>(std::move(token));
  }

  std::string Get() const HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return token_;
  }
  // Gives the one before.
  std::string Set(std::string token) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::exchange(token_, std::move(token));
  }

 private:
  mutable Mutex mutex_;
  std::string token_ HANGAR_GUARDED_BY(mutex_);
};

Session::Session(ClientOptions options)
    : options_(std::move(options)), token_(std::make_shared<Token>(options_.token)) {}

arrow::Result<std::shared_ptr<Session>> Session::Make(const ClientOptions& options) {
  if (!options.token.empty() && !options.user.empty()) {
    return MakeError(ErrorKind::kInvalidArgument, "give a token or a user, not both");
  }
  if (!IsToken(options.token)) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the token holds a space or another character that is in no token");
  }
  if (options.user.contains(':')) {
    return MakeError(ErrorKind::kInvalidArgument, "a user's name cannot hold a colon");
  }
  if (options.certificate_pem.empty() != options.key_pem.empty()) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "a client certificate and its key are of use together only");
  }
  return std::shared_ptr<Session>(new Session(options));
}

arrow::Result<std::shared_ptr<flight::FlightClient>> Session::Connect(
    const std::string& uri) const {
  if (ShowsSomebody(options_) && !options_.insecure && !IsConfidential(uri)) {
    return Error(ErrorKind::kInvalidArgument,
                 "a token or password would go to {} unencrypted: use grpc+tls://, or allow it",
                 uri);
  }
  flight::FlightClientOptions connect = flight::FlightClientOptions::Defaults();
  connect.tls_root_certs = options_.ca_pem;
  connect.cert_chain = options_.certificate_pem;
  connect.private_key = options_.key_pem;
  connect.middleware.push_back(token_);
  auto location = flight::Location::Parse(uri);
  if (location.ok()) {
    auto client = flight::FlightClient::Connect(*location, connect);
    if (client.ok()) return client;
  }
  return Error(ErrorKind::kInvalidArgument,
               "{} is not the address of a server: grpc://HOST:PORT, grpc+tls://HOST:PORT or "
               "grpc+unix:///PATH is one",
               Quoted(uri));
}

arrow::Status Session::LogIn() {
  if (options_.user.empty() || !token().empty()) return arrow::Status::OK();
  const MutexLock lock(login_mutex_);
  if (!token().empty()) return arrow::Status::OK();  // Another thread was quicker.
  auto token = AskForToken();
  if (!token.ok() && FailedToConnectByChance(token.status())) token = AskForToken();
  if (!token.ok()) return FromFlight(token.status(), options_.uri);
  token_->Set(*std::move(token));
  return arrow::Status::OK();
}

arrow::Result<std::string> Session::AskForToken() const {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(options_.uri));
  ARROW_ASSIGN_OR_RAISE(const auto header,
                        client->AuthenticateBasicToken(flight::FlightCallOptions(), options_.user,
                                                       options_.password));
  if (!header.second.starts_with(kBearer) || header.second.size() == kBearer.size()) {
    return Error(ErrorKind::kUnimplemented,
                 "the server at {} gives no token for a password; it may take tokens only",
                 options_.uri);
  }
  return header.second.substr(kBearer.size());
}

bool Session::Expire() { return !options_.user.empty() && !token_->Set("").empty(); }

std::string Session::token() const { return token_->Get(); }

bool IsConfidential(const std::string& uri) {
  arrow::util::Uri parsed;
  if (!parsed.Parse(uri).ok()) return false;
  const std::string scheme = parsed.scheme();
  if (scheme == "grpc+tls" || scheme == "grpc+unix") return true;
  const std::string host = parsed.host();
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace hangar::client
