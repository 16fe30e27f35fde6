#include "client/connection.h"

namespace hangar::client {

arrow::Result<std::shared_ptr<Connection>> Connection::Open(const std::string& uri,
                                                            std::shared_ptr<Session> session,
                                                            Session::Watch watch) {
  ARROW_ASSIGN_OR_RAISE(auto client, session->Connect(uri, watch));
  return std::shared_ptr<Connection>(
      new Connection(uri, std::move(session), watch, std::move(client)));
}

std::shared_ptr<Connection::FlightClient> Connection::client() const {
  MutexLock lock(mutex_);
  return client_;
}

arrow::Status Connection::Failure(const arrow::Status& status) {
  arrow::Status failure = FromFlight(status, uri_);
  if (KindOf(failure) == ErrorKind::kUnauthenticated) session_->Expire(uri_);
  return failure;
}

arrow::Result<std::shared_ptr<Connection::FlightClient>> Connection::Renew(
    const std::shared_ptr<FlightClient>& failed) {
  MutexLock lock(mutex_);
  if (client_ == failed) {
    ARROW_ASSIGN_OR_RAISE(client_, session_->Connect(uri_, watch_));
  }
  return client_;
}

}  // namespace hangar::client
