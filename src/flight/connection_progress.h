#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace hangar {

/// What went over a TCP connection since it began, both in bytes.
struct ConnectionProgress {
  int64_t acknowledged = 0;  ///< Of what this side sent, by the peer's kernel.
  int64_t received = 0;      ///< By this side's kernel.
};

/// The progress of each TCP connection that this process holds, by its peer as gRPC spells it
/// ("ipv4:192.0.2.1:5000", "ipv6:%5B2001:db8::1%5D:5000"), from Linux' TCP_INFO. It asks the kernel
/// about each open file descriptor, so it is for now and then. Empty where /proc is not mounted.
std::unordered_map<std::string, ConnectionProgress> ProgressByPeer();

/// A gRPC peer's address without its port, as AddressText spells it: "192.0.2.1", "2001:db8::1", or
/// "unix" for whatever comes over a Unix socket.
std::string AddressOfPeer(std::string_view peer);

/// A gRPC peer for people: "192.0.2.1:5000", "[2001:db8::1]:5000", or "unix".
std::string TextOfPeer(std::string_view peer);

}  // namespace hangar
