#include "client/session.h"

#include <map>
#include <string>
#include <vector>

#include <arrow/flight/server.h>
#include <arrow/flight/server_middleware.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "base/mutex.h"
#include "client/client.h"
#include "client/connection.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;
using testing::ElementsAre;
using testing::HasSubstr;

// What the server was shown, and whom it takes.
struct Gate {
  Mutex mutex;
  std::vector<std::string> seen HANGAR_GUARDED_BY(mutex);  // "METHOD AUTHORIZATION".
  std::string good HANGAR_GUARDED_BY(mutex) = "Bearer first";
  int logins HANGAR_GUARDED_BY(mutex) = 0;
};

// Gives the token of a login, as Flight's convention for passwords has it.
class GateMiddleware final : public flight::ServerMiddleware {
 public:
  explicit GateMiddleware(std::string token) : token_(std::move(token)) {}
  void SendingHeaders(flight::AddCallHeaders* headers) override {
    if (!token_.empty()) headers->AddHeader("authorization", token_);
  }
  void CallCompleted(const arrow::Status&) override {}
  std::string name() const override { return "gate"; }

 private:
  const std::string token_;
};

class GateFactory final : public flight::ServerMiddlewareFactory {
 public:
  explicit GateFactory(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    const auto& headers = context.incoming_headers();
    std::string shown;
    for (auto [at, end] = headers.equal_range("authorization"); at != end; ++at) {
      shown += shown.empty() ? "" : " and ";
      shown += at->second;
    }
    const MutexLock lock(gate_->mutex);
    gate_->seen.push_back(flight::ToString(info.method) + " " + shown);
    if (info.method == flight::FlightMethod::Handshake) {
      ++gate_->logins;
      *middleware = std::make_shared<GateMiddleware>(gate_->good);
      return arrow::Status::OK();
    }
    if (shown == gate_->good) return arrow::Status::OK();
    return flight::MakeFlightError(flight::FlightStatusCode::Unauthenticated, "nobody",
                                   "UNAUTHENTICATED");
  }

 private:
  const std::shared_ptr<Gate> gate_;
};

class EmptyServer final : public flight::FlightServerBase {
 public:
  arrow::Status ListActions(const flight::ServerCallContext&,
                            std::vector<flight::ActionType>* actions) override {
    *actions = {{"an_action", "does it"}};
    return arrow::Status::OK();
  }
};

class SessionTest : public testing::Test {
 protected:
  void SetUp() override {
    flight::FlightServerOptions options(*flight::Location::ForGrpcTcp("127.0.0.1", 0));
    options.auth_handler = std::make_shared<flight::NoOpAuthHandler>();
    options.middleware = {{"gate", std::make_shared<GateFactory>(gate_)}};
    ASSERT_TRUE(server_.Init(options).ok());
    uri_ = "grpc://127.0.0.1:" + std::to_string(server_.port());
  }
  void TearDown() override { ASSERT_TRUE(server_.Shutdown().ok()); }

  void Accept(const std::string& header) {
    const MutexLock lock(gate_->mutex);
    gate_->good = header;
  }
  std::vector<std::string> seen() {
    const MutexLock lock(gate_->mutex);
    return gate_->seen;
  }
  int logins() {
    const MutexLock lock(gate_->mutex);
    return gate_->logins;
  }

  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  EmptyServer server_;
  std::string uri_;
};

TEST_F(SessionTest, ATokenGoesWithEveryCall) {
  const auto client = Client::Connect({.uri = uri_, .token = "first"}).ValueOrDie();
  ASSERT_TRUE(client->Actions().ok());
  ASSERT_TRUE(client->Actions().ok());
  EXPECT_THAT(seen(), ElementsAre("ListActions Bearer first", "ListActions Bearer first"));
}

TEST_F(SessionTest, ATokenThatIsNotTakenIsUnauthenticatedAndNotTriedAgain) {
  const auto client = Client::Connect({.uri = uri_, .token = "other"}).ValueOrDie();
  const arrow::Status status = client->Actions().status();
  EXPECT_EQ(ErrorCode(status), "UNAUTHENTICATED");
  EXPECT_EQ(status.message(), "nobody");
  EXPECT_EQ(seen().size(), 1u);
}

TEST_F(SessionTest, AUserLogsInOnceAndThePasswordIsNotSentAgain) {
  const auto client =
      Client::Connect({.uri = uri_, .user = "ann", .password = "secret"}).ValueOrDie();
  EXPECT_EQ(*client->LogIn(), "first");
  ASSERT_TRUE(client->Actions().ok());
  ASSERT_TRUE(client->Actions().ok());
  EXPECT_THAT(seen(), ElementsAre("Handshake Basic YW5uOnNlY3JldA==", "ListActions Bearer first",
                                  "ListActions Bearer first"));
}

TEST_F(SessionTest, AUserLogsInAgainWhenTheLoginHasExpired) {
  const auto client =
      Client::Connect({.uri = uri_, .user = "ann", .password = "secret"}).ValueOrDie();
  ASSERT_TRUE(client->Actions().ok());
  Accept("Bearer second");
  ASSERT_TRUE(client->Actions().ok());
  EXPECT_EQ(logins(), 2);
  EXPECT_EQ(*client->LogIn(), "second");
}

// Another server of the same datasets.
class TwoServersTest : public SessionTest {
 protected:
  void SetUp() override {
    SessionTest::SetUp();
    flight::FlightServerOptions options(*flight::Location::ForGrpcTcp("127.0.0.1", 0));
    options.auth_handler = std::make_shared<flight::NoOpAuthHandler>();
    options.middleware = {{"gate", std::make_shared<GateFactory>(other_gate_)}};
    ASSERT_TRUE(other_.Init(options).ok());
    uris_ = uri_ + ",grpc://127.0.0.1:" + std::to_string(other_.port());
  }
  void TearDown() override {
    ASSERT_TRUE(other_.Shutdown().ok());
    if (!is_down_) SessionTest::TearDown();
  }

  void TakeDownTheFirst() {
    ASSERT_TRUE(server_.Shutdown().ok());
    is_down_ = true;
  }
  void TheOtherAccepts(const std::string& header) {
    const MutexLock lock(other_gate_->mutex);
    other_gate_->good = header;
  }
  std::vector<std::string> seen_by_the_other() {
    const MutexLock lock(other_gate_->mutex);
    return other_gate_->seen;
  }

  const std::shared_ptr<Gate> other_gate_ = std::make_shared<Gate>();
  EmptyServer other_;
  std::string uris_;
  bool is_down_ = false;
};

TEST_F(TwoServersTest, WhatALoginAtOneGaveIsShownToTheOther) {
  const auto client =
      Client::Connect({.uri = uris_, .user = "ann", .password = "secret"}).ValueOrDie();
  ASSERT_TRUE(client->Actions().ok());
  TakeDownTheFirst();
  ASSERT_TRUE(client->Actions().ok());
  EXPECT_THAT(seen_by_the_other(), ElementsAre("ListActions Bearer first"));
}

TEST_F(TwoServersTest, OneThatDoesNotTakeItIsLoggedInAt) {
  TheOtherAccepts("Bearer its-own");
  const auto client =
      Client::Connect({.uri = uris_, .user = "ann", .password = "secret"}).ValueOrDie();
  ASSERT_TRUE(client->Actions().ok());
  TakeDownTheFirst();
  ASSERT_TRUE(client->Actions().ok());
  ASSERT_TRUE(client->Actions().ok());
  EXPECT_THAT(seen_by_the_other(),
              ElementsAre("ListActions Bearer first", "Handshake Basic YW5uOnNlY3JldA==",
                          "ListActions Bearer its-own", "ListActions Bearer its-own"));
}

TEST_F(TwoServersTest, TheNextOneIsLoggedInAtWhenTheFirstIsNotThere) {
  TakeDownTheFirst();
  const auto client =
      Client::Connect({.uri = uris_, .user = "ann", .password = "secret"}).ValueOrDie();
  EXPECT_EQ(*client->LogIn(), "first");
  EXPECT_EQ(seen_by_the_other().size(), 1u);
}

TEST_F(TwoServersTest, ThePasswordIsNotSentToAServerThatIsNotTheClientsOwn) {
  const auto session =
      Session::Make({.uri = uri_, .user = "ann", .password = "secret"}).ValueOrDie();
  const std::string foreign = uris_.substr(uri_.size() + 1);
  ASSERT_TRUE(session->LogIn(foreign).ok());
  EXPECT_EQ(session->token(foreign), "");
  ASSERT_TRUE(session->LogIn(uri_).ok());
  ASSERT_TRUE(session->LogIn(foreign).ok());
  EXPECT_EQ(session->token(foreign), "first");
  EXPECT_TRUE(session->Expire(foreign));
  ASSERT_TRUE(session->LogIn(foreign).ok());
  EXPECT_EQ(session->token(foreign), "");
  EXPECT_EQ(session->token(uri_), "first");
  EXPECT_TRUE(seen_by_the_other().empty());
}

TEST(Session, RefusesWhatCannotBeSent) {
  const auto refusal = [](const ClientOptions& options) {
    const arrow::Status status = Session::Make(options).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
    EXPECT_THAT(status.message(), testing::Not(HasSubstr("hush")));
    return status.message();
  };
  EXPECT_THAT(refusal({.token = "hush", .user = "ann"}), HasSubstr("not both"));
  EXPECT_THAT(refusal({.token = "hush\nx-other: 1"}), HasSubstr("the token holds"));
  EXPECT_THAT(refusal({.user = "a:b", .password = "hush"}), HasSubstr("colon"));
  EXPECT_THAT(refusal({.certificate_pem = "hush"}), HasSubstr("together"));
}

TEST(Session, SendsATokenUnencryptedToThisMachineAlone) {
  const auto connects = [](const std::string& uri, bool insecure) {
    const auto session = Session::Make({.token = "t", .insecure = insecure}).ValueOrDie();
    return session->Connect(uri, Session::Watch::kNo).ok();
  };
  for (const char* uri : {"grpc://127.0.0.1:1", "grpc://127.8.0.1:1", "grpc://localhost:1",
                          "grpc://[::1]:1", "grpc+unix:///tmp/s", "grpc+tls://10.0.0.1:1"}) {
    EXPECT_TRUE(connects(uri, false)) << uri;
  }
  for (const char* uri : {"grpc://10.0.0.1:1", "grpc+tcp://example.org:1", "grpc://0.0.0.0:1",
                          "grpc://127.0.0.1.example.org:1", "grpc://localhost.example.org:1"}) {
    EXPECT_FALSE(connects(uri, false)) << uri;
    EXPECT_TRUE(connects(uri, true)) << uri;
  }
  EXPECT_TRUE((*Session::Make({}))->Connect("grpc://10.0.0.1:1", Session::Watch::kNo).ok());
}

}  // namespace
}  // namespace hangar::client
