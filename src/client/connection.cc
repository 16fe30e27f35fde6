#include "client/connection.h"

#include "base/error.h"
#include "base/text.h"

namespace hangar::client {
namespace {

using arrow::flight::FlightClient;

arrow::Result<std::shared_ptr<FlightClient>> ConnectTo(const std::string& uri) {
  ARROW_ASSIGN_OR_RAISE(const auto location, arrow::flight::Location::Parse(uri));
  return FlightClient::Connect(location);
}

}  // namespace

arrow::Result<std::shared_ptr<Connection>> Connection::Open(const std::string& uri) {
  auto client = ConnectTo(uri);
  if (!client.ok()) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not the address of a server: grpc://HOST:PORT or grpc+unix:///PATH is one",
                 Quoted(uri));
  }
  return std::shared_ptr<Connection>(new Connection(uri, *std::move(client)));
}

std::shared_ptr<FlightClient> Connection::client() const {
  MutexLock lock(mutex_);
  return client_;
}

arrow::Result<std::shared_ptr<FlightClient>> Connection::Renew(
    const std::shared_ptr<FlightClient>& failed) {
  MutexLock lock(mutex_);
  if (client_ == failed) {
    ARROW_ASSIGN_OR_RAISE(client_, ConnectTo(uri_));
  }
  return client_;
}

}  // namespace hangar::client
