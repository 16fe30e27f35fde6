#include "flight/access_middleware.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <arrow/flight/client.h>
#include <arrow/flight/client_auth.h>
#include <arrow/flight/server.h>
#include <arrow/flight/server_auth.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/server_interceptor.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "flight/call_limiter.h"
#include "flight/certificate_interceptor.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Knows the bearer token "good", the user "ann" with the password "pw", and any certificate.
class FakeAuthenticator final : public Authenticator {
 public:
  arrow::Result<std::shared_ptr<const Identity>> Authenticate(
      const Credentials& credentials) override {
    if (credentials.authorization == "Bearer good") return Somebody(IdentityKind::kToken, "good");
    if (credentials.authorization == "Bearer slow") {
      return MakeError(ErrorKind::kResourceExhausted, "too many attempts");
    }
    if (credentials.authorization == "Bearer broken") return arrow::Status::IOError("/etc/keys");
    if (credentials.authorization) return Unknown();
    if (credentials.certificate) {
      return Somebody(IdentityKind::kCertificate, *credentials.certificate);
    }
    return AnonymousIdentity();
  }
  arrow::Result<Login> LogIn(const Credentials& credentials) override {
    if (credentials.authorization != "Basic YW5uOnB3") return Unknown();
    return Login{.identity = Somebody(IdentityKind::kUser, "ann"), .token = "good", .lifetime = {}};
  }
  bool is_required() const override { return true; }
  std::string Challenge() const override { return "Bearer realm=\"test\""; }

 private:
  static std::shared_ptr<const Identity> Somebody(IdentityKind kind, std::string name) {
    Identity identity;
    identity.kind = kind;
    identity.name = std::move(name);
    return std::make_shared<const Identity>(std::move(identity));
  }
  static arrow::Status Unknown() {
    return MakeError(ErrorKind::kUnauthenticated, "the credentials are not valid");
  }
};

// Answers every action with who asked for it.
class WhoServer final : public flight::FlightServerBase {
 public:
  arrow::Status ListActions(const flight::ServerCallContext& context,
                            std::vector<flight::ActionType>* actions) override {
    const auto identity = IdentityOf(context);
    *actions = {{identity != nullptr ? identity->ToString() : "nobody", ""}};
    return arrow::Status::OK();
  }
};

class AccessMiddlewareTest : public ::testing::Test {
 protected:
  void SetUp() override {
    flight::FlightServerOptions options(*flight::Location::ForGrpcTcp("127.0.0.1", 0));
    options.auth_handler = MakeHandshakeHandler();
    options.middleware.emplace_back(
        kAccessMiddleware, MakeAccessMiddleware(std::make_shared<FakeAuthenticator>(), logger_));
    options.middleware.emplace_back("call_limiter", MakeCallLimiter(limits_));
    options.builder_hook = [](void* builder) {
      std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> creators;
      creators.push_back(MakeCertificateInterceptor());
      static_cast<grpc::ServerBuilder*>(builder)->experimental().SetInterceptorCreators(
          std::move(creators));
    };
    ASSERT_TRUE(server_.Init(options).ok());
    client_ =
        flight::FlightClient::Connect(*flight::Location::ForGrpcTcp("127.0.0.1", server_.port()))
            .ValueOrDie();
  }
  void TearDown() override {
    ASSERT_TRUE(client_->Close().ok());
    ASSERT_TRUE(server_.Shutdown().ok());
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  // The name that the server gives a caller with these headers.
  arrow::Result<std::string> Who(Headers headers) {
    flight::FlightCallOptions options;
    options.headers = std::move(headers);
    ARROW_ASSIGN_OR_RAISE(const auto actions, client_->ListActions(options));
    return actions.at(0).type;
  }

  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  const std::shared_ptr<CallLimits> limits_ =
      std::make_shared<CallLimits>(CallLimits::Options{.streams_per_caller = 1});
  WhoServer server_;
  std::unique_ptr<flight::FlightClient> client_;
};

void ExpectCode(const arrow::Status& status, flight::FlightStatusCode code) {
  const auto detail = flight::FlightStatusDetail::UnwrapStatus(status);
  ASSERT_NE(detail, nullptr) << status;
  EXPECT_EQ(detail->code(), code) << status;
}

TEST_F(AccessMiddlewareTest, ACallIsMadeByWhomItsHeaderShows) {
  EXPECT_EQ(Who({{"authorization", "Bearer good"}}).ValueOrDie(), "token:good");
  EXPECT_EQ(Who({}).ValueOrDie(), "anonymous");
}

TEST_F(AccessMiddlewareTest, WhoShowsNobodyIsRefused) {
  const auto refused = Who({{"authorization", "Bearer bad"}}).status();
  ExpectCode(refused, flight::FlightStatusCode::Unauthenticated);
  EXPECT_THAT(refused.message(), HasSubstr("not valid"));
}

TEST_F(AccessMiddlewareTest, WhoShowsTwoIsRefused) {
  const auto refused =
      Who({{"authorization", "Bearer good"}, {"authorization", "Bearer bad"}}).status();
  ExpectCode(refused, flight::FlightStatusCode::Unauthenticated);
}

TEST_F(AccessMiddlewareTest, WhoFailedTooOftenIsToldToWait) {
  const auto refused = Who({{"authorization", "Bearer slow"}}).status();
  EXPECT_THAT(refused.message(), HasSubstr("too many attempts"));
}

TEST_F(AccessMiddlewareTest, WhatALibrarySaysStaysInTheLog) {
  const auto refused = Who({{"authorization", "Bearer broken"}}).status();
  ExpectCode(refused, flight::FlightStatusCode::Internal);
  EXPECT_THAT(refused.message(), testing::Not(HasSubstr("/etc/keys")));
  EXPECT_THAT(logger_->lines(), testing::Contains(HasSubstr("/etc/keys")));
}

TEST_F(AccessMiddlewareTest, NoClientCanSayThatItsCertificateWasVerified) {
  EXPECT_EQ(Who({{std::string(kCertificateHeader), "forged"}}).ValueOrDie(), "anonymous");
  const std::string twice(kCertificateHeader);
  EXPECT_EQ(Who({{twice, "forged"}, {twice, "again"}}).ValueOrDie(), "anonymous");
}

TEST_F(AccessMiddlewareTest, ALoginGivesATokenForWhatFollows) {
  const auto login = client_->AuthenticateBasicToken({}, "ann", "pw").ValueOrDie();
  EXPECT_EQ(login, std::make_pair(std::string("authorization"), std::string("Bearer good")));
  EXPECT_EQ(Who({login}).ValueOrDie(), "token:good");
}

TEST_F(AccessMiddlewareTest, ALoginWithAWrongPasswordGivesNothing) {
  const auto login = client_->AuthenticateBasicToken({}, "ann", "wrong");
  ASSERT_FALSE(login.ok());
  ExpectCode(login.status(), flight::FlightStatusCode::Unauthenticated);
}

// Flight's older convention: messages of the Handshake, and "auth-token-bin" with what follows.
class OldHandler final : public flight::ClientAuthHandler {
 public:
  arrow::Status Authenticate(flight::ClientAuthSender* outgoing,
                             flight::ClientAuthReader* incoming) override {
    ARROW_RETURN_NOT_OK(outgoing->Write("ann:pw"));
    std::string answer;
    return incoming->Read(&answer);
  }
  arrow::Status GetToken(std::string* token) override {
    *token = "good";
    return arrow::Status::OK();
  }
};

TEST_F(AccessMiddlewareTest, TheOlderConventionShowsNobody) {
  const auto shaken = client_->Authenticate({}, std::make_unique<OldHandler>());
  EXPECT_FALSE(shaken.ok());
  EXPECT_EQ(Who({}).ValueOrDie(), "anonymous");
}

TEST_F(AccessMiddlewareTest, AHandshakeThatShowsNothingSaysWhatItNeeds) {
  const auto shaken = client_->Authenticate({}, std::make_unique<OldHandler>());
  EXPECT_THAT(shaken.message(), AllOf(HasSubstr("authorization"), HasSubstr("Basic")));
}

TEST_F(AccessMiddlewareTest, TheLimitOfOneCallerLeavesAnotherRoom) {
  ASSERT_TRUE(limits_->Begin("token:good", /*is_upload=*/false).ok());
  flight::FlightCallOptions good;
  good.headers = {{"authorization", "Bearer good"}};
  const auto full = client_->ListFlights(good, {}).status();
  EXPECT_THAT(full.message(), HasSubstr("max_streams_per_caller"));
  const auto other = client_->ListFlights({}, {}).status();
  EXPECT_THAT(other.message(), testing::Not(HasSubstr("max_streams_per_caller")));
  limits_->End("token:good", /*is_upload=*/false);
}

}  // namespace
}  // namespace hangar
