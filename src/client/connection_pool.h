#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/client.h>
#include <arrow/result.h>

#include "base/mutex.h"
#include "client/session.h"

namespace hangar::client {

/// The connections of one read: as many to each server as are used at a time. Thread-safe.
class ConnectionPool {
 public:
  using FlightClient = arrow::flight::FlightClient;

  ConnectionPool(std::shared_ptr<Session> session, Session::Watch watch);

  /// One that nobody uses, or a new one. Errors as of Session::Connect.
  arrow::Result<std::shared_ptr<FlightClient>> Take(const std::string& uri) HANGAR_EXCLUDES(mutex_);

  /// Gives one back that works.
  void Give(const std::string& uri, std::shared_ptr<FlightClient> connection)
      HANGAR_EXCLUDES(mutex_);

 private:
  const std::shared_ptr<Session> session_;
  const Session::Watch watch_;
  Mutex mutex_;
  std::map<std::string, std::vector<std::shared_ptr<FlightClient>>> idle_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
