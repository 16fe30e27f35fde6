#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/mutex.h"
#include "client/client.h"
#include "client/connection.h"
#include "client/server_health.h"
#include "client/session.h"

namespace hangar::client {

/// One attempt at a call.
struct Attempt {
  std::shared_ptr<Connection> connection;
  bool not_begun = false;  ///< Set by a call that failed before the server did anything about it.
};

enum class Repeat {
  kAlways,      ///< The call changes nothing, or nothing twice.
  kIfNotBegun,  ///< Only where the server that was asked certainly did nothing about it.
};

/// The servers of a client: all have the same datasets. A call is made at the first one that is not
/// put behind (server_health.h), and goes on at the next one where a server cannot be reached,
/// dies, or does not serve now. Thread-safe.
class Servers {
 public:
  /// INVALID_ARGUMENT as of Session::Make and Session::Connect. Connects with the first call.
  static arrow::Result<std::shared_ptr<Servers>> Open(const ClientOptions& options);

  bool several() const { return addresses().size() > 1; }
  const std::vector<std::string>& addresses() const { return session_->addresses(); }
  const std::shared_ptr<Session>& session() const { return session_; }
  const ServerHealth& health() const { return health_; }

  /// The connection that calls to one of `addresses` share.
  arrow::Result<std::shared_ptr<Connection>> At(const std::string& uri) HANGAR_EXCLUDES(mutex_);

  void NoteAnswer(const std::string& uri) { health_.Answered(uri); }
  /// Puts `uri` behind and, where that is news, tells whom the options name where it goes on.
  void NoteFailure(const std::string& uri, const std::string& next);
  /// The same where the next one is the first of the client's own that is not put behind.
  void NoteFailure(const std::string& uri);

  /// What `call(attempt)` gives, an arrow::Result, at the first server that answers: at most twice
  /// at each. With one server, it is called once. An error is what the caller should see.
  template <typename Call>
  std::invoke_result_t<Call, Attempt&> Run(Repeat repeat, Call&& call);

  /// Run for a call that changes nothing and needs no more than `call(client)`.
  template <typename Call>
  std::invoke_result_t<Call, arrow::flight::FlightClient&> Ask(Call&& call) {
    return Run(Repeat::kAlways,
               [&](Attempt& attempt) { return attempt.connection->Run(call, &attempt.not_begun); });
  }

 private:
  explicit Servers(const ClientOptions& options, std::shared_ptr<Session> session)
      : on_failover_(options.on_failover), session_(std::move(session)) {}

  const std::function<void(const std::string& sentence)> on_failover_;
  const std::shared_ptr<Session> session_;
  ServerHealth health_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Connection>> connections_ HANGAR_GUARDED_BY(mutex_);
};

/// True for the failure of a server, as opposed to that of a call, which would fail at any. Of a
/// call that the caller itself did not cancel.
bool IsOfTheServer(const arrow::Status& status);

/// The attempts at one call, server after server. One thread at a time.
class Failover {
 public:
  Failover(Servers* servers, Repeat repeat);

  /// Where to try now.
  arrow::Result<Attempt> Next();

  /// Whether there is to be another attempt, after the failure of this one.
  bool GoesOn(const Attempt& attempt, const arrow::Status& status);

  /// What a caller should see, after the last attempt, of its failure.
  arrow::Status Failure(const Attempt& attempt, const arrow::Status& status) const;

  /// How many attempts there were.
  int attempts() const { return attempts_; }

 private:
  Servers* const servers_;
  const Repeat repeat_;
  std::vector<std::string> order_;  // Of this round.
  size_t next_ = 0;
  int rounds_left_;
  int attempts_ = 0;
  std::map<std::string, std::string> sentences_;  // By server, the last one.
};

template <typename Call>
std::invoke_result_t<Call, Attempt&> Servers::Run(Repeat repeat, Call&& call) {
  Failover failover(this, repeat);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(Attempt attempt, failover.Next());
    auto result = call(attempt);
    if (result.ok()) {
      NoteAnswer(attempt.connection->uri());
      return result;
    }
    if (!failover.GoesOn(attempt, result.status())) {
      return failover.Failure(attempt, result.status());
    }
  }
}

}  // namespace hangar::client
