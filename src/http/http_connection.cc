#include "http/http_connection.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <format>

#include "base/network_address.h"

namespace hangar {
namespace {

constexpr std::chrono::seconds kLingerTime{2};

std::string PeerText(const sockaddr& address, const std::string& host) {
  if (address.sa_family == AF_INET) {
    return std::format("{}:{}", host,
                       ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port));
  }
  const auto port = ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  // An IPv4 address in IPv6's form is told without it.
  return host.contains(':') ? std::format("[{}]:{}", host, port) : std::format("{}:{}", host, port);
}

}  // namespace

bool HttpConnection::IsGone() const {
  if (is_over) return true;
  pollfd poll{.fd = watched.descriptor(), .events = POLLRDHUP, .revents = 0};
  if (::poll(&poll, 1, 0) != 1) return false;
  return (poll.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

std::shared_ptr<HttpConnection> MeetConnection(MHD_Connection* connection, ConnectionWatch* watch,
                                               ReloadedHttpTls* tls) {
  const int descriptor =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  auto met = std::make_shared<HttpConnection>(watch, descriptor);
  const MHD_ConnectionInfo* const client =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (client != nullptr && client->client_addr != nullptr) {
    met->address = AddressText(*client->client_addr);
    met->peer = PeerText(*client->client_addr, met->address);
  }
  if (tls != nullptr) {
    met->tls = tls->Current();
    const MHD_ConnectionInfo* const session =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    met->tls->UseFor(static_cast<gnutls_session_int*>(session->tls_session));
  }
  return met;
}

void LingerOn(int descriptor) {
  ::shutdown(descriptor, SHUT_WR);
  const auto end = std::chrono::steady_clock::now() + kLingerTime;
  std::array<char, 64 << 10> passed_over;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return;
    pollfd poll{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&poll, 1, static_cast<int>(left.count())) != 1) return;
    if (::recv(descriptor, passed_over.data(), passed_over.size(), MSG_DONTWAIT) <= 0) return;
  }
}

}  // namespace hangar
