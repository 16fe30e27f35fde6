#include "client/session.h"

#include <algorithm>
#include <utility>

#include <arrow/flight/client_middleware.h>

#include "base/error.h"
#include "client/addresses.h"
#include "client/flight_error.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

constexpr std::string_view kBearer = "Bearer ";
constexpr char kHeader[] = "authorization";

// What Flight says of a login where no connection comes to be; other calls tell the reason, too
// (AuthenticateInternal in arrow/flight/transport/grpc/grpc_client.cc).
constexpr char kLoginWasNotSent[] = "Could not finish writing before closing";

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

// Of connections that are watched. A server is asked for a sign of life when a call has heard
// nothing for so long; Hangar's takes pings every 5 seconds and more. Where the caller is busy with
// what came before, gRPC's C library looks at the connection every 5 seconds only, and the answer
// may stand behind as much as two of these looks take in.
constexpr int kSilentMilliseconds = 6'000;
constexpr int kPingWaitMilliseconds = 16'000;
constexpr int kConnectMilliseconds = 5'000;
constexpr int kReconnectMillisecondsMax = 5'000;

// gRPC's names for them (grpc/impl/codegen/grpc_types.h).
void WatchConnection(flight::FlightClientOptions* options) {
  const std::pair<const char*, int> arguments[] = {
      {"grpc.keepalive_time_ms", kSilentMilliseconds},
      {"grpc.keepalive_timeout_ms", kPingWaitMilliseconds},
      {"grpc.http2.max_pings_without_data", 0},  // However many.
      {"grpc.min_reconnect_backoff_ms", kConnectMilliseconds},
      {"grpc.max_reconnect_backoff_ms", kReconnectMillisecondsMax},
  };
  for (const auto& [name, value] : arguments) options->generic_options.emplace_back(name, value);
}

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
  void Set(std::string token) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    token_ = std::move(token);
  }
  // False when there was none.
  bool Refuse() HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (token_.empty()) return false;
    refused_ = std::exchange(token_, "");
    return true;
  }
  // The last one that the server did not take.
  std::string refused() const HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return refused_;
  }

 private:
  mutable Mutex mutex_;
  std::string token_ HANGAR_GUARDED_BY(mutex_);
  std::string refused_ HANGAR_GUARDED_BY(mutex_);
};

Session::Session(ClientOptions options, std::vector<std::string> addresses)
    : options_(std::move(options)), addresses_(std::move(addresses)) {}

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
  ARROW_ASSIGN_OR_RAISE(auto addresses, ParseAddresses(options.uri));
  return std::shared_ptr<Session>(new Session(options, std::move(addresses)));
}

bool Session::MayConnect(const std::string& uri) const {
  return IsAddress(uri) && !WouldBeOverheard(uri);
}

bool Session::WouldBeOverheard(const std::string& uri) const {
  return ShowsSomebody(options_) && !options_.insecure && !IsConfidential(uri);
}

arrow::Result<std::shared_ptr<flight::FlightClient>> Session::Connect(const std::string& uri,
                                                                      Watch watch) const {
  if (WouldBeOverheard(uri)) {
    return Error(ErrorKind::kInvalidArgument,
                 "a token or password would go to {} unencrypted: use grpc+tls://, or allow it",
                 uri);
  }
  flight::FlightClientOptions connect = flight::FlightClientOptions::Defaults();
  connect.tls_root_certs = options_.ca_pem;
  connect.cert_chain = options_.certificate_pem;
  connect.private_key = options_.key_pem;
  connect.middleware.push_back(TokenOf(uri));
  if (watch == Watch::kYes) WatchConnection(&connect);
  auto location = flight::Location::Parse(uri);
  if (location.ok()) {
    auto client = flight::FlightClient::Connect(*location, connect);
    if (client.ok()) return client;
  }
  return NotAnAddress(uri);
}

arrow::Status Session::LogIn(const std::string& uri) {
  if (options_.user.empty()) return arrow::Status::OK();
  const std::shared_ptr<Token> token = TokenOf(uri);
  if (!token->Get().empty()) return arrow::Status::OK();
  const MutexLock lock(login_mutex_);
  if (!token->Get().empty()) return arrow::Status::OK();  // Another thread was quicker.
  token->Set(TokenOfAnother(*token));
  if (!token->Get().empty() || !IsOwn(uri)) return arrow::Status::OK();
  auto given = AskForToken(uri);
  if (!given.ok() && FailedToConnectByChance(given.status())) given = AskForToken(uri);
  if (!given.ok()) return FromFlight(given.status(), uri);
  token->Set(*std::move(given));
  return arrow::Status::OK();
}

arrow::Result<std::string> Session::AskForToken(const std::string& uri) const {
  ARROW_ASSIGN_OR_RAISE(const auto client,
                        Connect(uri, addresses_.size() > 1 ? Watch::kYes : Watch::kNo));
  const auto answer =
      client->AuthenticateBasicToken(flight::FlightCallOptions(), options_.user, options_.password);
  if (!answer.ok() && answer.status().message().starts_with(kLoginWasNotSent)) {
    const arrow::Status reason = client->ListActions().status();
    if (FailedToConnect(reason)) return reason;
    return Error(ErrorKind::kUnavailable, "the connection to {} was lost during the login", uri);
  }
  ARROW_ASSIGN_OR_RAISE(const auto header, answer);
  if (!header.second.starts_with(kBearer) || header.second.size() == kBearer.size()) {
    return Error(ErrorKind::kUnimplemented,
                 "the server at {} gives no token for a password; it may take tokens only", uri);
  }
  return header.second.substr(kBearer.size());
}

bool Session::Expire(const std::string& uri) {
  return !options_.user.empty() && TokenOf(uri)->Refuse();
}

std::string Session::token(const std::string& uri) const { return TokenOf(uri)->Get(); }

bool Session::IsOwn(const std::string& uri) const {
  return std::ranges::find(addresses_, uri) != addresses_.end();
}

std::shared_ptr<Session::Token> Session::TokenOf(const std::string& uri) const {
  const MutexLock lock(mutex_);
  std::shared_ptr<Token>& token = tokens_[uri];
  if (token == nullptr) token = std::make_shared<Token>(options_.token);
  return token;
}

std::string Session::TokenOfAnother(const Token& token) const {
  const std::string refused = token.refused();
  const MutexLock lock(mutex_);
  for (const auto& [uri, other] : tokens_) {
    std::string given = other->Get();
    if (!given.empty() && given != refused) return given;
  }
  return "";
}

}  // namespace hangar::client
