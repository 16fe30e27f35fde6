#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

#include "base/host_port.h"

namespace hangar {

/// Where clients connect to a Flight server over a network.
struct FlightAddress {
  HostPort where;       ///< The host in lower case; the port is never 0.
  bool is_tls = false;  ///< Connections are encrypted.

  /// "grpc://HOST:PORT" or "grpc+tls://HOST:PORT"; the same address gives the same text.
  std::string ToUri() const;

  bool operator==(const FlightAddress& other) const { return ToUri() == other.ToUri(); }
};

/// Of grpc://HOST:PORT, grpc+tcp://HOST:PORT, which is the same, or grpc+tls://HOST:PORT.
/// INVALID_ARGUMENT, with an example, for anything else.
arrow::Result<FlightAddress> ParseFlightAddress(std::string_view uri);

/// One value of the setting "peers".
struct PeerSetting {
  enum class Kind {
    kAddress,  ///< One server.
    kFile,     ///< A file of addresses.
    kDns,      ///< All addresses of a name.
  };
  Kind kind = Kind::kAddress;
  FlightAddress address;  ///< kDns: the name stands for the host.
  std::string path;       ///< kFile.
};

/// Of an address, "file:PATH", "dns:NAME:PORT" or "dns+tls:NAME:PORT". INVALID_ARGUMENT saying what
/// is wrong with it.
arrow::Result<PeerSetting> ParsePeerSetting(std::string_view text);

}  // namespace hangar
