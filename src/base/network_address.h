#pragma once

#include <string>
#include <string_view>

#include <arrow/status.h>

struct sockaddr;

namespace hangar {

/// The address of a socket's other end without its port, as limits and failures are counted:
/// "192.0.2.1" (also for an IPv4 address in IPv6's form), "2001:db8::1", or "unix" for whatever is
/// neither IPv4 nor IPv6.
std::string AddressText(const sockaddr& address);

/// True for a host that only this machine reaches: "localhost", 127.0.0.0/8 or ::1, without
/// brackets. Names are not looked up: any other is said to be reached by others.
bool IsLoopbackHost(std::string_view host);

/// An address that a door is asked to listen on, and what it would be used for.
struct DoorAddress {
  std::string uri;   ///< As errors call it.
  std::string host;  ///< Empty: a Unix socket.
  bool is_encrypted = false;
  bool is_authenticated = false;  ///< Callers show there who they are.
  bool insecure = false;          ///< Somebody said that plain text is right.
};

/// INVALID_ARGUMENT, saying what to do, where passwords and tokens would go over a network in plain
/// text.
arrow::Status CheckEncryption(const DoorAddress& address);

}  // namespace hangar
