#include "client/connection_pool.h"

#include <utility>

namespace hangar::client {

ConnectionPool::ConnectionPool(std::shared_ptr<Session> session, Session::Watch watch)
    : session_(std::move(session)), watch_(watch) {}

arrow::Result<std::shared_ptr<ConnectionPool::FlightClient>> ConnectionPool::Take(
    const std::string& uri) {
  {
    const MutexLock lock(mutex_);
    auto& idle = idle_[uri];
    if (!idle.empty()) {
      auto connection = std::move(idle.back());
      idle.pop_back();
      return connection;
    }
  }
  return session_->Connect(uri, watch_);
}

void ConnectionPool::Give(const std::string& uri, std::shared_ptr<FlightClient> connection) {
  const MutexLock lock(mutex_);
  idle_[uri].push_back(std::move(connection));
}

}  // namespace hangar::client
