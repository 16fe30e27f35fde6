#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/result.h>

#include "base/mutex.h"
#include "client/flight_error.h"

namespace hangar::client {

/// A connection to one server, which is made anew where a first attempt failed by chance.
/// Thread-safe.
class Connection {
 public:
  using FlightClient = arrow::flight::FlightClient;

  /// INVALID_ARGUMENT when `uri` is not an address. Connects with the first call.
  static arrow::Result<std::shared_ptr<Connection>> Open(const std::string& uri);

  const std::string& uri() const { return uri_; }

  std::shared_ptr<FlightClient> client() const HANGAR_EXCLUDES(mutex_);

  /// What `call(client)` gives, an arrow::Result, its error as `FromFlight` tells it. The call is
  /// made once more over a new connection after an error that `FailedToConnectByChance` knows, so
  /// it must be one that then has not used up anything of the caller's.
  template <typename Call>
  std::invoke_result_t<Call, FlightClient&> Run(Call&& call) {
    const std::shared_ptr<FlightClient> first = client();
    auto result = call(*first);
    if (!result.ok() && FailedToConnectByChance(result.status())) {
      ARROW_ASSIGN_OR_RAISE(const auto second, Renew(first));
      result = call(*second);
    }
    if (!result.ok()) return FromFlight(result.status(), uri_);
    return result;
  }

 private:
  Connection(std::string uri, std::shared_ptr<FlightClient> client)
      : uri_(std::move(uri)), client_(std::move(client)) {}

  // A connection in the place of the one that failed, unless another thread made one already.
  arrow::Result<std::shared_ptr<FlightClient>> Renew(const std::shared_ptr<FlightClient>& failed)
      HANGAR_EXCLUDES(mutex_);

  const std::string uri_;
  mutable Mutex mutex_;
  std::shared_ptr<FlightClient> client_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
