#include "http/listen_socket.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
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
  ListenSocket listening(
      ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
               found->ai_protocol),
      0);
  if (listening.fd_ < 0) return CannotListen(address, errno);
  const int on = 1;
  const int off = 0;
  ::setsockopt(listening.fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (found->ai_family == AF_INET6) {
    ::setsockopt(listening.fd_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (::bind(listening.fd_, found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(listening.fd_, kBacklog) != 0) {
    return CannotListen(address, errno);
  }
  listening.port_ = PortOf(listening.fd_);
  return listening;
}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) ::close(fd_);
}

int ListenSocket::Release() { return std::exchange(fd_, -1); }

}  // namespace hangar
