#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/result.h>

#include "base/error.h"
#include "base/mutex.h"
#include "client/client.h"
#include "client/flight_error.h"
#include "client/session.h"

namespace hangar::client {

/// A connection to one server, which is made anew where a first attempt failed by chance, and logs
/// in where the options give a user. Thread-safe.
class Connection {
 public:
  using FlightClient = arrow::flight::FlightClient;

  /// INVALID_ARGUMENT as of Session::Make and Session::Connect. Connects with the first call.
  static arrow::Result<std::shared_ptr<Connection>> Open(const ClientOptions& options);

  const std::string& uri() const { return uri_; }
  const std::shared_ptr<Session>& session() const { return session_; }

  std::shared_ptr<FlightClient> client() const HANGAR_EXCLUDES(mutex_);

  /// What `call(client)` gives, an arrow::Result, its error as `FromFlight` tells it. The call is
  /// made once more over a new connection after an error that `FailedToConnectByChance` knows, and
  /// once more after a new login where what an earlier login gave has expired, so it must be one
  /// that then has not used up anything of the caller's.
  template <typename Call>
  std::invoke_result_t<Call, FlightClient&> Run(Call&& call) {
    ARROW_RETURN_NOT_OK(session_->LogIn());
    auto result = RunConnected(call);
    if (!result.ok() && KindOf(result.status()) == ErrorKind::kUnauthenticated &&
        session_->Expire()) {
      ARROW_RETURN_NOT_OK(session_->LogIn());
      result = RunConnected(call);
    }
    return result;
  }

  /// What a caller should see of the failure of a call that Run began. After an UNAUTHENTICATED one
  /// the next call logs in again.
  arrow::Status Failure(const arrow::Status& status);

 private:
  Connection(std::string uri, std::shared_ptr<Session> session,
             std::shared_ptr<FlightClient> client)
      : uri_(std::move(uri)), session_(std::move(session)), client_(std::move(client)) {}

  template <typename Call>
  std::invoke_result_t<Call, FlightClient&> RunConnected(Call& call) {
    const std::shared_ptr<FlightClient> first = client();
    auto result = call(*first);
    if (!result.ok() && FailedToConnectByChance(result.status())) {
      ARROW_ASSIGN_OR_RAISE(const auto second, Renew(first));
      result = call(*second);
    }
    if (!result.ok()) return FromFlight(result.status(), uri_);
    return result;
  }

  // A connection in the place of the one that failed, unless another thread made one already.
  arrow::Result<std::shared_ptr<FlightClient>> Renew(const std::shared_ptr<FlightClient>& failed)
      HANGAR_EXCLUDES(mutex_);

  const std::string uri_;
  const std::shared_ptr<Session> session_;
  mutable Mutex mutex_;
  std::shared_ptr<FlightClient> client_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
