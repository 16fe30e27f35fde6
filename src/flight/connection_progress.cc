#include "flight/connection_progress.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>
#include <format>
#include <memory>
#include <optional>

namespace hangar {
namespace {

std::optional<std::string> PeerOf(int descriptor) {
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return std::nullopt;
  }
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return std::format("ipv4:{}:{}", text, ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
  // One listener takes both families; gRPC shows IPv4 as IPv4.
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof(text));
    return std::format("ipv4:{}:{}", text, ntohs(v6.sin6_port));
  }
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return std::format("ipv6:%5B{}%5D:{}", text, ntohs(v6.sin6_port));
}

std::optional<ConnectionProgress> ProgressOf(int descriptor) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return std::nullopt;
  return ConnectionProgress{.acknowledged = static_cast<int64_t>(info.tcpi_bytes_acked),
                            .received = static_cast<int64_t>(info.tcpi_bytes_received)};
}

}  // namespace

std::unordered_map<std::string, ConnectionProgress> ProgressByPeer() {
  std::unordered_map<std::string, ConnectionProgress> connections;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (folder == nullptr) return connections;
  // Other threads open and close descriptors meanwhile: one that is not what it was a moment ago
  // only makes an entry that nobody looks up, or one that is wrong once.
  while (const dirent* entry = ::readdir(folder.get())) {
    int descriptor = 0;
    const char* const end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, descriptor).ec != std::errc()) continue;
    auto peer = PeerOf(descriptor);
    if (!peer) continue;
    if (const auto progress = ProgressOf(descriptor)) connections.emplace(*peer, *progress);
  }
  return connections;
}

std::string AddressOfPeer(std::string_view peer) {
  // "ipv4:192.0.2.1:5000", "ipv6:%5B2001:db8::1%5D:5000", the latter with brackets in newer gRPC.
  constexpr std::string_view kOpenings[] = {"ipv4:", "ipv6:", "%5B", "["};
  constexpr std::string_view kClosings[] = {"%5D", "]"};
  if (peer.starts_with("unix")) return "unix";
  peer = peer.substr(0, peer.rfind(':'));
  for (const std::string_view opening : kOpenings) {
    if (peer.starts_with(opening)) peer.remove_prefix(opening.size());
  }
  for (const std::string_view closing : kClosings) {
    if (peer.ends_with(closing)) peer.remove_suffix(closing.size());
  }
  return std::string(peer);
}

std::string TextOfPeer(std::string_view peer) {
  const std::string address = AddressOfPeer(peer);
  const size_t colon = peer.rfind(':');
  if (address == "unix" || colon == std::string_view::npos) return address;
  const std::string_view port = peer.substr(colon + 1);
  return address.contains(':') ? std::format("[{}]:{}", address, port)
                               : std::format("{}:{}", address, port);
}

}  // namespace hangar
