#pragma once

#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

/// The scheme of an address whose connections are encrypted.
inline constexpr char kTlsScheme[] = "grpc+tls";

/// An address to listen on, taken apart.
struct ListenAddress {
  std::string scheme;     ///< "grpc", "grpc+tcp", "grpc+tls" or "grpc+unix".
  std::string host;       ///< Without brackets; empty for a Unix socket.
  int port = 0;           ///< 0: a free one.
  std::string unix_path;  ///< For a Unix socket.

  bool is_unix() const { return scheme == "grpc+unix"; }
  bool is_tls() const { return scheme == kTlsScheme; }
  /// "HOST:PORT" as it stands in a URI, for TCP.
  std::string Authority(int real_port) const;
  /// The address as a URI, with the given port for TCP.
  std::string ToUri(int real_port) const;
};

/// INVALID_ARGUMENT, with an example, for what is not an address that can be listened on.
arrow::Result<ListenAddress> ParseListenAddress(const std::string& uri);

/// Finds out what gRPC does not tell: whether the address can be listened on, and if not why. A
/// Unix socket that nobody listens on any more is removed.
arrow::Status CheckCanListen(const ListenAddress& address);

}  // namespace hangar
