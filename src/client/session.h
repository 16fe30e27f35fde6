#pragma once

#include <memory>
#include <string>

#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include "base/mutex.h"
#include "client/client.h"

namespace hangar::client {

/// What shows a service who asks, and makes connections that carry it. One for all connections of a
/// client, so that a login with a password counts for all of them. Thread-safe.
class Session {
 public:
  using FlightClient = arrow::flight::FlightClient;

  /// INVALID_ARGUMENT for options that contradict each other, or a token that no header can carry.
  static arrow::Result<std::shared_ptr<Session>> Make(const ClientOptions& options);

  /// A connection to one of the service's addresses; nothing is sent yet. INVALID_ARGUMENT when
  /// `uri` is no address, or when what shows who asks would go over a network unencrypted and the
  /// options do not say that it may.
  arrow::Result<std::shared_ptr<FlightClient>> Connect(const std::string& uri) const;

  /// Makes sure that there is a token where the options give a user: it is asked for with the
  /// password, over a connection of its own. OK at once where there is one, or no user. Its error
  /// is as `FromFlight` tells it.
  arrow::Status LogIn() HANGAR_EXCLUDES(login_mutex_);

  /// Forgets the token that a login gave, as the server does not take it any more. False when there
  /// is none to forget, so that another try is of no use.
  bool Expire();

  /// The token that goes with every call now; empty: none.
  std::string token() const;

 private:
  // What the connections' middlewares share with the session, which they may outlive.
  class Token;

  explicit Session(ClientOptions options);

  arrow::Result<std::string> AskForToken() const;

  const ClientOptions options_;
  const std::shared_ptr<Token> token_;
  Mutex login_mutex_;  // One login at a time.
};

/// True when what is sent to `uri` can be read by nobody but the server and this machine: TLS, a
/// Unix socket, or a loopback address.
bool IsConfidential(const std::string& uri);

}  // namespace hangar::client
