#include "base/host_port.h"

#include <charconv>
#include <format>
#include <system_error>

#include "base/error.h"

namespace hangar {
namespace {

constexpr int kPortMax = 65535;

arrow::Status Wrong(std::string sentence) {
  return MakeError(ErrorKind::kInvalidArgument, std::move(sentence));
}

}  // namespace

std::string HostPort::ToString() const {
  const bool is_ipv6 = host.contains(':');
  return std::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

arrow::Result<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) return Wrong("it has no port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.contains(':')) {
    return Wrong("an IPv6 address stands in brackets");
  }
  if (host.empty()) return Wrong("it has no host");
  for (const char c : host) {
    if (c <= ' ' || c == '/' || c == '[' || c == ']' || c == 0x7f) return Wrong("its host is none");
  }
  const std::string_view digits = text.substr(colon + 1);
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port < 0 || port > kPortMax) {
    return Wrong("the port must be 0 to 65535");
  }
  return HostPort{.host = std::string(host), .port = port};
}

}  // namespace hangar
