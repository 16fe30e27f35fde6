#include "flight/listen_address.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "base/unique_descriptor.h"

namespace hangar {
namespace {

constexpr int kPortMax = 65535;

arrow::Status Invalid(const std::string& uri, std::string_view why) {
  return Error(ErrorKind::kInvalidArgument,
               "{} is not an address to listen on: {}; examples are grpc://0.0.0.0:8815, "
               "grpc://127.0.0.1:0 and grpc+unix:///run/hangar.sock",
               Quoted(uri), why);
}

arrow::Status CannotListen(const ListenAddress& address, int error) {
  const std::string uri = address.ToUri(address.port);
  if (error == EADDRINUSE) {
    return Error(ErrorKind::kFailedPrecondition,
                 "cannot listen on {}: the address is in use; another server may be running "
                 "(--listen chooses another address, port 0 a free port)",
                 uri);
  }
  return Error(ErrorKind::kFailedPrecondition, "cannot listen on {}: {}", uri,
               std::strerror(error));
}

arrow::Status CheckCanListenTcp(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found)) {
    return Error(ErrorKind::kInvalidArgument, "cannot listen on {}: the host is not known ({})",
                 address.ToUri(address.port), ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  const UniqueDescriptor socket(
      ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol));
  const int reuse = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
  if (::bind(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::listen(socket.get(), 1) != 0) {
    return CannotListen(address, errno);
  }
  return arrow::Status::OK();
}

arrow::Status CheckCanListenUnix(const ListenAddress& address) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof(name.sun_path)) {
    return Error(ErrorKind::kInvalidArgument,
                 "cannot listen on {}: the path of a Unix socket has at most {} bytes",
                 address.ToUri(0), sizeof(name.sun_path) - 1);
  }
  std::memcpy(name.sun_path, address.unix_path.data(), address.unix_path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&name);
  struct stat existing{};
  if (::lstat(address.unix_path.c_str(), &existing) == 0) {
    if (!S_ISSOCK(existing.st_mode)) return CannotListen(address, EEXIST);
    const UniqueDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(client.get(), generic, sizeof(name)) == 0)
      return CannotListen(address, EADDRINUSE);
    if (::unlink(address.unix_path.c_str()) != 0) return CannotListen(address, errno);
  }
  const UniqueDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(socket.get(), generic, sizeof(name)) != 0) return CannotListen(address, errno);
  ::unlink(address.unix_path.c_str());
  return arrow::Status::OK();
}

}  // namespace

std::string ListenAddress::Authority(int real_port) const {
  const bool is_ipv6 = host.contains(':');
  return std::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", real_port);
}

std::string ListenAddress::ToUri(int real_port) const {
  return scheme + "://" + (is_unix() ? unix_path : Authority(real_port));
}

arrow::Result<ListenAddress> ParseListenAddress(const std::string& uri) {
  const size_t separator = uri.find("://");
  if (separator == std::string::npos) return Invalid(uri, "it has no scheme");
  ListenAddress address;
  address.scheme = uri.substr(0, separator);
  const std::string rest = uri.substr(separator + 3);
  if (address.scheme == "grpc+unix") {
    if (!rest.starts_with('/')) return Invalid(uri, "the path must be absolute");
    address.unix_path = rest;
    return address;
  }
  if (address.scheme != "grpc" && address.scheme != "grpc+tcp" && !address.is_tls()) {
    return Invalid(uri, "the schemes are grpc, grpc+tcp, grpc+tls and grpc+unix");
  }
  const size_t colon = rest.rfind(':');
  if (colon == std::string::npos || rest.ends_with(']')) return Invalid(uri, "it has no port");
  address.host = rest.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']')) {
    address.host = address.host.substr(1, address.host.size() - 2);
  } else if (address.host.contains(':')) {
    return Invalid(uri, "an IPv6 address stands in brackets");
  }
  if (address.host.empty()) return Invalid(uri, "it has no host");
  const char* begin = rest.data() + colon + 1;
  const char* end = rest.data() + rest.size();
  const auto [parsed_end, error] = std::from_chars(begin, end, address.port);
  if (error != std::errc() || parsed_end != end || begin == end || address.port < 0 ||
      address.port > kPortMax) {
    return Invalid(uri, "the port must be 0 to 65535");
  }
  return address;
}

arrow::Status CheckCanListen(const ListenAddress& address) {
  return address.is_unix() ? CheckCanListenUnix(address) : CheckCanListenTcp(address);
}

}  // namespace hangar
