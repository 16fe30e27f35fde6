#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"

namespace hangar {
namespace {

constexpr int kBacklog = 1024;

arrow::Status CannotListen(const HostPort& address, int error) {
  if (error == EADDRINUSE) {
    return Error(ErrorKind::kFailedPrecondition,
                 "cannot serve HTTP on {}: the address is in use; another server may be running "
                 "(port 0 takes a free one)",
                 address.ToString());
  }
  return Error(ErrorKind::kFailedPrecondition, "cannot serve HTTP on {}: {}", address.ToString(),
               std::strerror(error));
}

int PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

arrow::Result<ListenSocket> ListenSocket::Open(const HostPort& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found)) {
    return Error(ErrorKind::kInvalidArgument, "cannot serve HTTP on {}: the host is not known ({})",
                 address.ToString(), ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  UniqueDescriptor listening(::socket(
      found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol));
  if (!listening.is_open()) return CannotListen(address, errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(listening.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (found->ai_family == AF_INET6) {
    ::setsockopt(listening.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (::bind(listening.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listening.get(), kBacklog) != 0) {
    return CannotListen(address, errno);
  }
  const int real_port = PortOf(listening.get());
  return ListenSocket(std::move(listening), real_port);
}

}  // namespace hangar
