#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

namespace hangar {

/// A network address as settings write it.
struct HostPort {
  std::string host;  ///< A name or an address, without brackets; never empty.
  int port = 0;      ///< 0: a free one.

  /// "example.org:80", "[::1]:80".
  std::string ToString() const;
};

/// "HOST:PORT", with an IPv6 address in brackets. INVALID_ARGUMENT saying what is wrong, without
/// repeating the text.
arrow::Result<HostPort> ParseHostPort(std::string_view text);

}  // namespace hangar
