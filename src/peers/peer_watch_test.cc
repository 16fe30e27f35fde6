#include "peers/peer_watch.h"

#include <atomic>
#include <chrono>
#include <format>
#include <set>

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/method_handler.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using std::chrono::milliseconds;

constexpr char kSelf[] = "grpc://127.0.0.1:1";

// gRPC's health check, in protobuf's encoding.
class HealthAnswers final : public grpc::Service {
 public:
  HealthAnswers() {
    using Handler =
        grpc::internal::RpcMethodHandler<HealthAnswers, grpc::ByteBuffer, grpc::ByteBuffer>;
    const auto check = [](HealthAnswers* self, grpc::ServerContext*,
                          const grpc::ByteBuffer* request, grpc::ByteBuffer* reply) {
      grpc::Slice asked;
      if (!request->DumpToSingleSlice(&asked).ok() || asked.size() != 0) {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "only the whole server is known");
      }
      const grpc::Slice bytes(self->is_serving ? "\x08\x01" : "\x08\x02");
      *reply = grpc::ByteBuffer(&bytes, 1);
      return grpc::Status::OK;
    };
    AddMethod(new grpc::internal::RpcServiceMethod("/grpc.health.v1.Health/Check",
                                                   grpc::internal::RpcMethod::NORMAL_RPC,
                                                   new Handler(check, this)));
  }

  std::atomic<bool> is_serving = true;
};

// A server that says how it is.
class Answering {
 public:
  explicit Answering(int port = 0) {
    grpc::ServerBuilder builder;
    builder.RegisterService(&health_);
    builder.AddListeningPort(std::format("127.0.0.1:{}", port), grpc::InsecureServerCredentials(),
                             &port_);
    server_ = builder.BuildAndStart();
  }

  int port() const { return port_; }
  std::string uri() const { return std::format("grpc://127.0.0.1:{}", port_); }
  void Say(bool is_serving) { health_.is_serving = is_serving; }
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

 private:
  int port_ = 0;
  HealthAnswers health_;
  std::unique_ptr<grpc::Server> server_;
};

class PeerWatchTest : public testing::Test {
 protected:
  std::unique_ptr<PeerWatch> Watch(std::vector<std::string> peers,
                                   milliseconds timeout = milliseconds(500)) {
    peers.push_back(kSelf);
    return PeerWatch::Start({.peers = std::move(peers),
                             .self = kSelf,
                             .own_certificate = nullptr,
                             .interval = milliseconds(20),
                             .timeout = timeout},
                            logger_, nullptr)
        .ValueOrDie();
  }

  // Without this server.
  static std::set<std::string> LivingOf(const PeerWatch& watch) {
    std::set<std::string> living;
    for (std::string& uri : watch.living()->LocationsOf("key")) {
      if (uri != kSelf) living.insert(std::move(uri));
    }
    return living;
  }

  static void WaitFor(const PeerWatch& watch, const std::set<std::string>& want) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (LivingOf(watch) != want && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    EXPECT_EQ(LivingOf(watch), want);
  }

  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(PeerWatchTest, WhoAnswersIsNamedUntilItSaysOtherwiseOrIsGone) {
  Answering a;
  Answering b;
  const auto watch = Watch({a.uri(), b.uri()});
  WaitFor(*watch, {a.uri(), b.uri()});
  a.Say(false);
  WaitFor(*watch, {b.uri()});
  a.Say(true);
  WaitFor(*watch, {a.uri(), b.uri()});
  b.Stop();
  WaitFor(*watch, {a.uri()});
}

TEST_F(PeerWatchTest, WhoComesBackIsNamedAgain) {
  auto peer = std::make_unique<Answering>();
  const int port = peer->port();
  const std::string uri = peer->uri();
  const auto watch = Watch({uri});
  WaitFor(*watch, {uri});
  peer->Stop();
  WaitFor(*watch, {});
  peer = std::make_unique<Answering>(port);
  ASSERT_EQ(peer->port(), port);
  WaitFor(*watch, {uri});
}

TEST_F(PeerWatchTest, FiftyPeersOfWhomHalfAreGoneAreAskedByOneThread) {
  std::vector<std::unique_ptr<Answering>> answering;
  std::vector<std::string> uris;
  for (int i = 0; i < 25; ++i) {
    uris.push_back(answering.emplace_back(std::make_unique<Answering>())->uri());
  }
  for (int i = 0; i < 25; ++i) {
    Answering gone;
    uris.push_back(gone.uri());
    gone.Stop();
  }
  const auto watch = Watch(uris);
  // An endpoint names four of them; over many keys all that live come up, and nobody else.
  std::set<std::string> want(uris.begin(), uris.begin() + 25);
  const auto named = [&] {
    std::set<std::string> all;
    for (int i = 0; i < 1000; ++i) {
      for (std::string& uri : watch->living()->LocationsOf(std::to_string(i))) {
        if (uri != kSelf) all.insert(std::move(uri));
      }
    }
    return all;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (named() != want && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(named(), want);
}

TEST_F(PeerWatchTest, ItEndsWhileAQuestionIsUnderWay) {
  // Nobody answers there, nor refuses: 192.0.2.0/24 is for documentation (RFC 5737).
  const auto watch = Watch({"grpc://192.0.2.1:1"}, std::chrono::hours(1));
  EXPECT_THAT(LivingOf(*watch), testing::IsEmpty());
}

TEST_F(PeerWatchTest, WhatCannotBeUsedIsAnError) {
  const auto start = [&](const PeerWatchOptions& options) {
    return PeerWatch::Start(options, logger_, nullptr).status();
  };
  EXPECT_EQ(KindOf(start({.peers = {"grpc://a:1"}, .self = "a"})), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(start({.peers = {"a"}, .self = kSelf})), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(start({.peers = {kSelf}, .self = kSelf, .authorities = "/no/such/file"})),
            ErrorKind::kFailedPrecondition);
}

}  // namespace
}  // namespace hangar
