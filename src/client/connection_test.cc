#include "client/connection.h"

#include <set>

#include <gmock/gmock.h>

#include "client/client.h"

namespace hangar::client {
namespace {

using arrow::Status;
using arrow::flight::FlightClient;

const Status kByChance = Status::IOError(
    "Flight returned unavailable error, with message: failed to connect to all addresses; last "
    "error: UNKNOWN: ipv4:127.0.0.1:1: connect: Invalid argument");
const Status kRefused = Status::IOError(
    "Flight returned unavailable error, with message: failed to connect to all addresses; last "
    "error: UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused");

class ConnectionTest : public testing::Test {
 protected:
  // A call that ends with these statuses, one after the other.
  arrow::Result<int> RunThrough(std::vector<Status> statuses) {
    return connection_->Run([&](FlightClient& client) -> arrow::Result<int> {
      clients_.push_back(&client);
      const Status status = statuses.at(clients_.size() - 1);
      if (!status.ok()) return status;
      return 7;
    });
  }

  const std::shared_ptr<Connection> connection_ =
      *Connection::Open("grpc://127.0.0.1:1", *Session::Make({}), Session::Watch::kNo);
  const std::shared_ptr<FlightClient> before_ = connection_->client();
  std::vector<FlightClient*> clients_;
};

TEST_F(ConnectionTest, IsMadeAnewOnceAfterAChanceFailure) {
  EXPECT_EQ(*RunThrough({kByChance, Status::OK()}), 7);
  EXPECT_THAT(clients_, testing::ElementsAre(before_.get(), connection_->client().get()));
  EXPECT_NE(connection_->client(), before_);
}

TEST_F(ConnectionTest, GivesUpAfterTheSecondFailure) {
  const auto result = RunThrough({kByChance, kByChance, Status::OK()});
  EXPECT_EQ(ErrorCode(result.status()), "UNAVAILABLE");
  EXPECT_THAT(result.status().message(), testing::StartsWith("cannot reach grpc://127.0.0.1:1 ("));
  EXPECT_EQ(clients_.size(), 2u);
}

TEST_F(ConnectionTest, RepeatsNothingThatMayHaveBeenSentOrWillFailAgain) {
  for (const Status& status :
       {kRefused, Status::Invalid("Invalid argument"),
        Status::IOError("Flight returned unavailable error, with message: Socket closed")}) {
    clients_.clear();
    EXPECT_FALSE(RunThrough({status, Status::OK()}).ok());
    EXPECT_EQ(clients_.size(), 1u) << status;
  }
  EXPECT_EQ(connection_->client(), before_);
}

TEST_F(ConnectionTest, IsRenewedOnceForCallsThatFailTogether) {
  std::set<FlightClient*> seconds;
  const auto outer = connection_->Run([&](FlightClient& client) -> arrow::Result<int> {
    if (&client != before_.get()) {
      seconds.insert(&client);
      return 1;
    }
    // Another call, which fails over the same connection before this one does.
    const auto inner = connection_->Run([&](FlightClient& other) -> arrow::Result<int> {
      if (&other == before_.get()) return kByChance;
      seconds.insert(&other);
      return 2;
    });
    EXPECT_EQ(*inner, 2);
    return kByChance;
  });
  EXPECT_EQ(*outer, 1);
  EXPECT_EQ(seconds.size(), 1u);
}

}  // namespace
}  // namespace hangar::client
