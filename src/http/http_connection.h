#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "http/connection_watch.h"
#include "http/http_tls.h"

struct MHD_Connection;

namespace hangar {

/// What is known of a client's connection, from when it was accepted until it is closed.
struct HttpConnection {
  HttpConnection(ConnectionWatch* watch, int descriptor) : watched(watch, descriptor) {}

  /// True when the client has closed its side, or the connection is over. Any thread may ask while
  /// a request is under way.
  bool IsGone() const;

  ConnectionWatch::Connection watched;
  std::string peer;                               ///< "ipv4:192.0.2.1:4711", as gRPC writes it.
  std::string address;                            ///< Without the port, see AddressText.
  std::shared_ptr<const HttpTlsCredentials> tls;  ///< nullptr: it is not encrypted.
  std::optional<std::string> certificate;         ///< The client's, PEM; known once TLS stands.
  std::atomic<bool> is_over = false;
};

/// Makes the HttpConnection of a connection that was just accepted. `tls` may be nullptr.
std::shared_ptr<HttpConnection> MeetConnection(MHD_Connection* connection, ConnectionWatch* watch,
                                               ReloadedHttpTls* tls);

/// Tells the client that nothing more comes, and passes over what it still sends, for two seconds
/// at most: to close a socket that has unread bytes would throw away what was sent last, which is
/// the answer (RFC 9112, section 9.6).
void LingerOn(int descriptor);

}  // namespace hangar
