#include "base/network_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/error.h"

namespace hangar {
namespace {

std::string Text(int family, const void* address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(family, address, text, sizeof(text));
  return text;
}

bool IsLoopback(const in_addr& address) { return (ntohl(address.s_addr) >> 24) == IN_LOOPBACKNET; }

}  // namespace

std::string AddressText(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    return Text(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr);
  }
  if (address.sa_family != AF_INET6) return "unix";
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  // One listener takes both families.
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return Text(AF_INET, v6.s6_addr + 12);
  return Text(AF_INET6, &v6);
}

bool IsLoopbackHost(std::string_view host) {
  if (host == "localhost") return true;
  const std::string text(host);
  in_addr v4{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return IsLoopback(v4);
  in6_addr v6{};
  if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) != 0 ||
         (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == IN_LOOPBACKNET);
}

arrow::Status CheckEncryption(const DoorAddress& address) {
  const bool stays_here = address.host.empty() || IsLoopbackHost(address.host);
  if (!address.is_authenticated || address.is_encrypted || address.insecure || stays_here) {
    return arrow::Status::OK();
  }
  return Error(ErrorKind::kInvalidArgument,
               "cannot listen on {}: passwords and tokens would go over the network in plain text; "
               "give a certificate (--tls-cert and --tls-key), listen on 127.0.0.1 only, or say "
               "--insecure where a proxy or a private network encrypts",
               address.uri);
}

}  // namespace hangar
