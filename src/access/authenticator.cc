#include "access/authenticator.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "access/certificate_identity.h"
#include "access/crypto.h"
#include "access/failure_limiter.h"
#include "access/https_get.h"
#include "access/jwt_verifier.h"
#include "access/password_check.h"
#include "access/session_tokens.h"
#include "access/token_check.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

constexpr size_t kHeaderBytesMax = 16 << 10;
constexpr std::string_view kHttps = "https://";

using SharedIdentity = std::shared_ptr<const Identity>;

arrow::Status Wrong(const char* why) { return MakeError(ErrorKind::kUnauthenticated, why); }

// The value of an "authorization" header (RFC 9110, 11.4).
struct Authorization {
  std::string scheme;  // In lower case.
  std::string_view value;
};

Authorization ParseAuthorization(std::string_view header) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!header.empty() && is_space(header.back())) header.remove_suffix(1);
  while (!header.empty() && is_space(header.front())) header.remove_prefix(1);
  const size_t end = std::min(header.find(' '), header.size());
  Authorization authorization{.scheme = std::string(header.substr(0, end)),
                              .value = header.substr(end)};
  std::ranges::transform(authorization.scheme, authorization.scheme.begin(),
                         [](unsigned char c) { return std::tolower(c); });
  while (authorization.value.starts_with(' ')) authorization.value.remove_prefix(1);
  return authorization;
}

struct NameAndPassword {
  std::string name;
  std::string password;
};

// RFC 7617: a name cannot have a ':', a password can.
arrow::Result<NameAndPassword> ParseBasic(std::string_view value) {
  const auto text = DecodeBase64(value);
  const size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return Wrong("the name and password are malformed");
  return NameAndPassword{.name = text->substr(0, colon), .password = text->substr(colon + 1)};
}

class ConfiguredAuthenticator final : public Authenticator {
 public:
  ConfiguredAuthenticator(const AuthenticatorOptions& options, std::shared_ptr<Logger> logger)
      : certificates_(options.certificates), logger_(std::move(logger)) {}

  arrow::Status Open(const AuthenticatorOptions& options) {
    if (!options.token_file.empty()) {
      ARROW_ASSIGN_OR_RAISE(tokens_, TokenCheck::Make(options.token_file, logger_));
    }
    if (!options.user_file.empty()) {
      ARROW_ASSIGN_OR_RAISE(passwords_, PasswordCheck::Make(options.user_file, logger_));
      ARROW_RETURN_NOT_OK(OpenSessions(options));
    }
    if (!options.jwks.empty()) ARROW_RETURN_NOT_OK(OpenKeys(options));
    return arrow::Status::OK();
  }

  arrow::Result<SharedIdentity> Authenticate(const Credentials& credentials) override {
    if (!is_required()) return AnonymousIdentity();
    if (credentials.authorization) {
      return Answered(credentials, IdentityOfHeader(credentials));
    }
    if (certificates_ && credentials.certificate) {
      return Answered(credentials, IdentityOfCertificate(*credentials.certificate, Now()));
    }
    return AnonymousIdentity();
  }

  arrow::Result<Login> LogIn(const Credentials& credentials) override {
    if (passwords_ == nullptr) {
      return MakeError(ErrorKind::kUnimplemented,
                       "the server has no users with passwords to log in as");
    }
    auto login = LogInBy(credentials);
    if (login.ok()) return login;
    return Answer(credentials, login.status());
  }

  bool is_required() const override {
    return certificates_ || tokens_ != nullptr || passwords_ != nullptr || jwts_ != nullptr;
  }

  std::string Challenge() const override {
    std::string challenge = "Bearer realm=\"hangar\"";
    if (passwords_ != nullptr) challenge += ", Basic realm=\"hangar\", charset=\"UTF-8\"";
    return challenge;
  }

 private:
  arrow::Status OpenSessions(const AuthenticatorOptions& options) {
    if (options.session_key.empty()) {
      sessions_ = std::make_unique<SessionTokens>(options.session_lifetime);
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(const std::string secret, ReadSessionSecret(options.session_key));
    sessions_ = std::make_unique<SessionTokens>(options.session_lifetime, secret);
    return arrow::Status::OK();
  }

  arrow::Status OpenKeys(const AuthenticatorOptions& options) {
    if (options.jwt_issuer.empty() || options.jwt_audience.empty()) {
      return MakeError(ErrorKind::kInvalidArgument,
                       "keys of an identity provider need its issuer and the audience that stands "
                       "for this server, or tokens made for others would be accepted");
    }
    if (options.jwt_name_claim.empty()) {
      return MakeError(ErrorKind::kInvalidArgument, "the claim of the name cannot be empty");
    }
    std::unique_ptr<KeySource> keys;
    if (options.jwks.starts_with(kHttps)) {
      const auto fetch = [address = options.jwks](const std::atomic<bool>& is_stopping) {
        return HttpsGet(address, is_stopping);
      };
      keys = FetchedKeys({.name = options.jwks, .fetch = fetch}, logger_);
    } else if (options.jwks.contains("://")) {
      return Error(ErrorKind::kInvalidArgument,
                   "the keys' address {} is neither a file nor an https address; others could be "
                   "changed on the way",
                   Quoted(options.jwks));
    } else {
      ARROW_ASSIGN_OR_RAISE(keys, KeysOfFile(options.jwks, logger_));
    }
    jwts_ = std::make_unique<JwtVerifier>(JwtRules{.issuer = options.jwt_issuer,
                                                   .audience = options.jwt_audience,
                                                   .name_claim = options.jwt_name_claim,
                                                   .groups_claim = options.jwt_groups_claim},
                                          std::move(keys));
    return arrow::Status::OK();
  }

  arrow::Result<SharedIdentity> IdentityOfHeader(const Credentials& credentials) {
    if (credentials.authorization->size() > kHeaderBytesMax) return Wrong("the header is too long");
    const Authorization header = ParseAuthorization(*credentials.authorization);
    if (header.scheme == "bearer") return IdentityOfBearer(header.value);
    if (header.scheme != "basic") return Wrong("the scheme is neither Bearer nor Basic");
    ARROW_ASSIGN_OR_RAISE(const NameAndPassword basic, ParseBasic(header.value));
    return IdentityOfPassword(credentials, basic);
  }

  arrow::Result<SharedIdentity> IdentityOfBearer(std::string_view token) {
    if (token.starts_with(kSessionPrefix) && passwords_ != nullptr) {
      return sessions_->Check(token, *passwords_->users(), Now());
    }
    if (token.starts_with(kTokenPrefix) && tokens_ != nullptr) return tokens_->Check(token, Now());
    if (jwts_ != nullptr) return jwts_->Verify(token, Now());
    return Wrong("nothing that is configured takes such a token");
  }

  arrow::Result<SharedIdentity> IdentityOfPassword(const Credentials& credentials,
                                                   const NameAndPassword& basic) {
    if (passwords_ == nullptr) return Wrong("there are no users with passwords");
    return passwords_->Check(SourceOfPeer(credentials.peer), basic.name, basic.password, limiter_);
  }

  arrow::Result<Login> LogInBy(const Credentials& credentials) {
    const std::string& text = credentials.authorization.value_or(std::string());
    if (text.size() > kHeaderBytesMax) return Wrong("the header is too long");
    const Authorization header = ParseAuthorization(text);
    if (header.scheme != "basic") return Wrong("a login takes the scheme Basic");
    ARROW_ASSIGN_OR_RAISE(const NameAndPassword basic, ParseBasic(header.value));
    Login login{.identity = nullptr, .token = {}, .lifetime = sessions_->lifetime()};
    ARROW_ASSIGN_OR_RAISE(login.identity, IdentityOfPassword(credentials, basic));
    const auto users = passwords_->users();
    const auto user = users->find(basic.name);
    if (user == users->end()) return Wrong("the user was removed a moment ago");
    login.token = sessions_->Issue(basic.name, user->second, Now());
    return login;
  }

  arrow::Result<SharedIdentity> Answered(const Credentials& credentials,
                                         arrow::Result<SharedIdentity> found) {
    if (found.ok()) return found;
    return Answer(credentials, found.status());
  }

  // What is said of a failure: of all who show nobody the same, the reason goes to the log.
  arrow::Status Answer(const Credentials& credentials, const arrow::Status& status) {
    logger_->Write(LogLevel::kDebug, "somebody did not show who they are",
                   {{"peer", credentials.peer}, {"reason", status.message()}});
    if (KindOf(status) != ErrorKind::kUnauthenticated) return status;
    if (!limiter_.NoteWrongToken(SourceOfPeer(credentials.peer),
                                 std::chrono::steady_clock::now())) {
      return MakeError(ErrorKind::kResourceExhausted,
                       "credentials that are not valid came too often; try again in 10 s");
    }
    return MakeError(ErrorKind::kUnauthenticated,
                     "the credentials are not valid: they are wrong, have expired or were revoked");
  }

  const bool certificates_;
  const std::shared_ptr<Logger> logger_;
  std::unique_ptr<TokenCheck> tokens_;  // nullptr: no tokens, and so on.
  std::unique_ptr<PasswordCheck> passwords_;
  std::unique_ptr<SessionTokens> sessions_;  // There are some where there are passwords.
  std::unique_ptr<JwtVerifier> jwts_;
  FailureLimiter limiter_;
};

}  // namespace

arrow::Result<std::shared_ptr<Authenticator>> Authenticator::Make(
    const AuthenticatorOptions& options, std::shared_ptr<Logger> logger) {
  ARROW_RETURN_NOT_OK(StartCrypto());
  auto authenticator = std::make_shared<ConfiguredAuthenticator>(options, std::move(logger));
  ARROW_RETURN_NOT_OK(authenticator->Open(options));
  return authenticator;
}

}  // namespace hangar
