#include "flight/access_middleware.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/server_auth.h>
#include <arrow/flight/server_middleware.h>

#include "base/error.h"
#include "flight/connection_progress.h"
#include "flight/status_table.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

constexpr char kAuthorizationHeader[] = "authorization";
constexpr char kChallengeTrailer[] = "www-authenticate";

// Who makes a call, and what a login gave them.
class AuthenticatedCall final : public flight::ServerMiddleware {
 public:
  AuthenticatedCall(std::shared_ptr<const Identity> identity, std::string bearer_token)
      : identity_(std::move(identity)), bearer_token_(std::move(bearer_token)) {}

  const std::shared_ptr<const Identity>& identity() const { return identity_; }

  void SendingHeaders(flight::AddCallHeaders* headers) override {
    if (!bearer_token_.empty()) {
      headers->AddHeader(kAuthorizationHeader, "Bearer " + bearer_token_);
    }
  }
  void CallCompleted(const arrow::Status&) override {}
  std::string name() const override { return kAccessMiddleware; }

 private:
  const std::shared_ptr<const Identity> identity_;
  const std::string bearer_token_;
};

// Two of them are refused: which one would count could be seen otherwise by a proxy on the way.
arrow::Result<std::optional<std::string>> OnlyHeader(const flight::CallHeaders& headers,
                                                     std::string_view name) {
  const auto [begin, end] = headers.equal_range(name);
  if (begin == end) return std::nullopt;
  if (std::next(begin) != end) {
    return Error(ErrorKind::kUnauthenticated, "the call has more than one header '{}'", name);
  }
  return std::string(begin->second);
}

arrow::Result<Credentials> CredentialsOf(const flight::ServerCallContext& context) {
  Credentials credentials{.peer = AddressOfPeer(context.peer())};
  ARROW_ASSIGN_OR_RAISE(credentials.authorization,
                        OnlyHeader(context.incoming_headers(), kAuthorizationHeader));
  ARROW_ASSIGN_OR_RAISE(credentials.certificate,
                        OnlyHeader(context.incoming_headers(), kCertificateHeader));
  return credentials;
}

// As RFC 7617 has it: the scheme's case does not matter.
bool IsBasic(std::string_view authorization) {
  constexpr std::string_view kBasic = "basic ";
  return std::ranges::equal(authorization.substr(0, kBasic.size()), kBasic, {}, [](char c) {
    return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

class AccessMiddleware final : public flight::ServerMiddlewareFactory {
 public:
  AccessMiddleware(std::shared_ptr<Authenticator> authenticator, std::shared_ptr<Logger> logger)
      : authenticator_(std::move(authenticator)), logger_(std::move(logger)) {}

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    auto call =
        info.method == flight::FlightMethod::Handshake ? LogIn(context) : Authenticate(context);
    if (!call.ok()) {
      if (KindOf(call.status()) == ErrorKind::kUnauthenticated) {
        context.AddTrailer(kChallengeTrailer, authenticator_->Challenge());
      }
      return ForClient(call.status(), "authentication", *logger_);
    }
    *middleware = *std::move(call);
    return arrow::Status::OK();
  }

 private:
  using Call = std::shared_ptr<AuthenticatedCall>;

  arrow::Result<Call> Authenticate(const flight::ServerCallContext& context) const {
    ARROW_ASSIGN_OR_RAISE(const Credentials credentials, CredentialsOf(context));
    ARROW_ASSIGN_OR_RAISE(auto identity, authenticator_->Authenticate(credentials));
    return std::make_shared<AuthenticatedCall>(std::move(identity), /*bearer_token=*/"");
  }

  arrow::Result<Call> LogIn(const flight::ServerCallContext& context) const {
    ARROW_ASSIGN_OR_RAISE(const Credentials credentials, CredentialsOf(context));
    if (!credentials.authorization) {
      return MakeError(ErrorKind::kUnauthenticated,
                       "a Handshake needs the header 'authorization' with a user and a password "
                       "(\"Basic ...\"), as AuthenticateBasicToken of Flight's clients sends it");
    }
    // Some clients shake hands with the token that they have already.
    if (!IsBasic(*credentials.authorization)) return Authenticate(context);
    ARROW_ASSIGN_OR_RAISE(Login login, authenticator_->LogIn(credentials));
    return std::make_shared<AuthenticatedCall>(std::move(login.identity), std::move(login.token));
  }

  const std::shared_ptr<Authenticator> authenticator_;
  const std::shared_ptr<Logger> logger_;
};

// A client ends its side of a Handshake after a message at most; what sends more wastes a thread.
constexpr int kHandshakeMessagesMax = 8;

class HandshakeHandler final : public flight::ServerAuthHandler {
 public:
  // Clients differ in what they wait for: Go's for the headers, which the first message takes
  // along, before it ends its side; Rust's for exactly one message; C++'s takes it for an error
  // when the call ends before it has ended its side.
  arrow::Status Authenticate(const flight::ServerCallContext&, flight::ServerAuthSender* outgoing,
                             flight::ServerAuthReader* incoming) override {
    ARROW_RETURN_NOT_OK(outgoing->Write(""));
    std::string ignored;
    for (int i = 0; i < kHandshakeMessagesMax && incoming->Read(&ignored).ok(); ++i) {
    }
    return arrow::Status::OK();
  }

  arrow::Status IsValid(const flight::ServerCallContext&, const std::string&,
                        std::string* peer_identity) override {
    peer_identity->clear();
    return arrow::Status::OK();
  }
};

}  // namespace

std::shared_ptr<flight::ServerMiddlewareFactory> MakeAccessMiddleware(
    std::shared_ptr<Authenticator> authenticator, std::shared_ptr<Logger> logger) {
  return std::make_shared<AccessMiddleware>(std::move(authenticator), std::move(logger));
}

std::shared_ptr<flight::ServerAuthHandler> MakeHandshakeHandler() {
  return std::make_shared<HandshakeHandler>();
}

std::shared_ptr<const Identity> IdentityOf(const flight::ServerCallContext& context) {
  const auto* call = dynamic_cast<AuthenticatedCall*>(context.GetMiddleware(kAccessMiddleware));
  return call != nullptr ? call->identity() : nullptr;
}

}  // namespace hangar
