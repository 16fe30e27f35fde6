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

  /// INVALID_ARGUMENT as of Session::Connect. Connects with the first call.
  static arrow::Result<std::shared_ptr<Connection>> Open(const std::string& uri,
                                                         std::shared_ptr<Session> session,
                                                         Session::Watch watch);

  const std::string& uri() const { return uri_; }
  const std::shared_ptr<Session>& session() const { return session_; }

  std::shared_ptr<FlightClient> client() const HANGAR_EXCLUDES(mutex_);

  /// What `call(client)` gives, an arrow::Result, its error as `FromFlight` tells it. The call is
  /// made once more over a new connection after an error that `FailedToConnectByChance` knows, and
  /// once more after a new login where what an earlier login gave has expired, so it must be one
  /// that then has not used up anything of the caller's. After a failure `not_begun`, if given, is
  /// true where the server certainly did nothing about the call.
  template <typename Call>
  std::invoke_result_t<Call, FlightClient&> Run(Call&& call, bool* not_begun = nullptr) {
    ARROW_RETURN_NOT_OK(LogIn(not_begun));
    auto result = RunConnected(call, not_begun);
    if (!result.ok() && KindOf(result.status()) == ErrorKind::kUnauthenticated &&
        session_->Expire(uri_)) {
      ARROW_RETURN_NOT_OK(LogIn(not_begun));
      result = RunConnected(call, not_begun);
    }
    return result;
  }

  /// What a caller should see of the failure of a call that Run began. After an UNAUTHENTICATED one
  /// the next call logs in again.
  arrow::Status Failure(const arrow::Status& status);

 private:
  Connection(std::string uri, std::shared_ptr<Session> session, Session::Watch watch,
             std::shared_ptr<FlightClient> client)
      : uri_(std::move(uri)),
        session_(std::move(session)),
        watch_(watch),
        client_(std::move(client)) {}

  arrow::Status LogIn(bool* not_begun) {
    if (not_begun != nullptr) *not_begun = true;
    return session_->LogIn(uri_);
  }

  template <typename Call>
  std::invoke_result_t<Call, FlightClient&> RunConnected(Call& call, bool* not_begun) {
    const std::shared_ptr<FlightClient> first = client();
    auto result = call(*first);
    if (!result.ok() && FailedToConnectByChance(result.status())) {
      ARROW_ASSIGN_OR_RAISE(const auto second, Renew(first));
      result = call(*second);
    }
    if (not_begun != nullptr) *not_begun = WasNotBegun(result.status());
    if (!result.ok()) return FromFlight(result.status(), uri_);
    return result;
  }

  // A connection in the place of the one that failed, unless another thread made one already.
  arrow::Result<std::shared_ptr<FlightClient>> Renew(const std::shared_ptr<FlightClient>& failed)
      HANGAR_EXCLUDES(mutex_);

  const std::string uri_;
  const std::shared_ptr<Session> session_;
  const Session::Watch watch_;
  mutable Mutex mutex_;
  std::shared_ptr<FlightClient> client_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
