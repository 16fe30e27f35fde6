#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/mutex.h"
#include "client/client.h"

namespace hangar::client {

/// What shows a service who asks, and makes connections that carry it. One for all connections of a
/// client, so that a login with a password counts for all of them. Thread-safe.
///
/// Servers of the same datasets may or may not know each other's logins. So what a login at one
/// gave is shown to the others too, and a server that does not take it is logged in at itself.
class Session {
 public:
  using FlightClient = arrow::flight::FlightClient;

  /// INVALID_ARGUMENT for options that contradict each other, a token that no header can carry, or
  /// a `uri` that ParseAddresses refuses.
  static arrow::Result<std::shared_ptr<Session>> Make(const ClientOptions& options);

  /// The client's own servers, in the order in which they are tried; at least one.
  const std::vector<std::string>& addresses() const { return addresses_; }

  /// Whether a connection that goes silent is to be noticed.
  enum class Watch {
    kNo,
    kYes,  ///< Within 22 seconds, and that none comes to be within 5: there are other servers.
  };

  /// False for what is no address, and where what shows who asks would go over a network
  /// unencrypted and the options do not say that it may.
  bool MayConnect(const std::string& uri) const;

  /// A connection to one of the service's addresses; nothing is sent yet. INVALID_ARGUMENT where
  /// MayConnect says no.
  arrow::Result<std::shared_ptr<FlightClient>> Connect(const std::string& uri, Watch watch) const;

  /// Makes sure that there is a token for `uri` where the options give a user: another server's
  /// that `uri` did not refuse, else it is asked for with the password, over a connection of its
  /// own. OK at once where there is one, or no user. The password goes to the client's own servers
  /// alone, not to those that they name. Its error is as `FromFlight` tells it.
  arrow::Status LogIn(const std::string& uri) HANGAR_EXCLUDES(login_mutex_, mutex_);

  /// Forgets the token that a login gave, as `uri` does not take it (any more). False when there
  /// is none to forget, so that another try is of no use.
  bool Expire(const std::string& uri) HANGAR_EXCLUDES(mutex_);

  /// The token that goes with every call to `uri` now; empty: none.
  std::string token(const std::string& uri) const HANGAR_EXCLUDES(mutex_);

 private:
  // What the connections' middlewares share with the session, which they may outlive.
  class Token;

  Session(ClientOptions options, std::vector<std::string> addresses);

  bool IsOwn(const std::string& uri) const;
  bool WouldBeOverheard(const std::string& uri) const;
  std::shared_ptr<Token> TokenOf(const std::string& uri) const HANGAR_EXCLUDES(mutex_);
  // One of another server that `token` is not known to be refused for; empty when there is none.
  std::string TokenOfAnother(const Token& token) const HANGAR_EXCLUDES(mutex_);
  arrow::Result<std::string> AskForToken(const std::string& uri) const;

  const ClientOptions options_;
  const std::vector<std::string> addresses_;
  Mutex login_mutex_;  // One login at a time.
  mutable Mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<Token>> tokens_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
