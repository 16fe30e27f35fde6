#include "admin/check_listeners.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <format>
#include <memory>
#include <string>
#include <string_view>

#include "admin/port_holder.h"
#include "base/host_port.h"
#include "base/network_address.h"
#include "base/text.h"
#include "base/unique_descriptor.h"
#include "config/check_options.h"

namespace hangar {
namespace {

constexpr std::string_view kUnixScheme = "grpc+unix://";

void SayInUse(std::string_view setting, const std::string& address,
              const std::optional<PortHolder>& holder, Findings& findings) {
  if (!holder) {
    findings.Problem(setting, std::format("{} is in use by another program", address),
                     std::format("end that program, or choose another address with {}", setting));
  } else if (holder->program == "hangar") {
    findings.Warning(setting,
                     std::format("{} is in use: process {} is a Hangar server that listens there",
                                 address, holder->process),
                     "this is as it should be if that is the server with these settings");
  } else {
    findings.Problem(setting,
                     std::format("{} is in use by {}, process {}", address, Quoted(holder->program),
                                 holder->process),
                     std::format("end that program, or choose another address with {}", setting));
  }
}

void SayCannotListen(std::string_view setting, const HostPort& address, int error,
                     Findings& findings) {
  const std::string text = address.ToString();
  if (error == EADDRINUSE) {
    SayInUse(setting, text, FindPortHolder(address.port), findings);
  } else if (error == EACCES) {
    findings.Problem(
        setting,
        std::format("{} cannot be listened on: this user may not take port {}", text, address.port),
        "choose a port from 1024, or give the service CAP_NET_BIND_SERVICE");
  } else if (error == EADDRNOTAVAIL) {
    findings.Problem(setting, std::format("{} is no address of this machine", text),
                     "choose one that 'ip address' shows, or 0.0.0.0 for all of them");
  } else {
    findings.Problem(setting,
                     std::format("{} cannot be listened on: {}", text, std::strerror(error)),
                     std::format("choose another address with {}", setting));
  }
}

// The error of listening there for a moment; 0 where it works.
int TryToListen(const addrinfo& address) {
  const UniqueDescriptor socket(
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC, address.ai_protocol));
  if (!socket.is_open()) return errno;
  const int yes = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0) return errno;
  return ::listen(socket.get(), 1) == 0 ? 0 : errno;
}

void CheckTcp(std::string_view setting, const HostPort& address, Findings& findings) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = ::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found)) {
    findings.Problem(
        setting,
        std::format("the host {} is not known: {}", Quoted(address.host), ::gai_strerror(error)),
        "choose an address of this machine, or 0.0.0.0 for all of them");
    return;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, ::freeaddrinfo);
  if (const int error = TryToListen(*found)) {
    SayCannotListen(setting, address, error, findings);
    return;
  }
  findings.Ok(setting, std::format("{} can be listened on", address.ToString()));
}

// A file that is not a socket, and a folder that is not there or may not be written.
bool CanMakeSocket(const std::string& path, Findings& findings) {
  struct stat existing{};
  if (::lstat(path.c_str(), &existing) == 0 && !S_ISSOCK(existing.st_mode)) {
    findings.Problem("listen", std::format("{} is there and is no socket", Quoted(path)),
                     "move it away, or choose another path with listen");
    return false;
  }
  const std::string folder = std::filesystem::path(path).parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return true;
  findings.Problem("listen",
                   std::format("no socket can be made in the folder {}: {}", Quoted(folder),
                               std::strerror(errno)),
                   "make the folder, and let the server's user write it");
  return false;
}

void CheckUnix(const std::string& path, Findings& findings) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) {
    findings.Problem("listen",
                     std::format("the path of a Unix socket has at most {} bytes, this one {}",
                                 sizeof(name.sun_path) - 1, path.size()),
                     "choose a shorter one");
    return;
  }
  if (!CanMakeSocket(path, findings)) return;
  std::memcpy(name.sun_path, path.data(), path.size());
  const UniqueDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&name), sizeof(name)) == 0) {
    findings.Warning("listen", std::format("a server listens on {} already", Quoted(path)),
                     "this is as it should be if that is the server with these settings");
    return;
  }
  findings.Ok("listen", std::format("the socket {} can be made", Quoted(path)));
}

void CheckFlight(const std::string& listen, Findings& findings) {
  if (listen.starts_with(kUnixScheme))
    return CheckUnix(listen.substr(kUnixScheme.size()), findings);
  const size_t scheme = listen.find("://");
  const auto address =
      ParseHostPort(std::string_view(listen).substr(scheme == std::string::npos ? 0 : scheme + 3));
  if (scheme == std::string::npos || !address.ok()) {
    findings.Problem("listen", std::format("{} is not an address to listen on", Quoted(listen)),
                     "write grpc://HOST:PORT or grpc+unix:///PATH");
    return;
  }
  CheckTcp("listen", *address, findings);
}

void CheckTcpSetting(std::string_view setting, const std::string& text, Findings& findings) {
  if (text.empty()) return;
  // One that is wrong is said with the settings.
  if (const auto address = ParseHostPort(text); address.ok()) CheckTcp(setting, *address, findings);
}

bool IsReachedByOthers(std::string_view address) {
  if (address.empty() || address.starts_with(kUnixScheme)) return false;
  const size_t scheme = address.find("://");
  const auto parsed =
      ParseHostPort(address.substr(scheme == std::string_view::npos ? 0 : scheme + 3));
  return parsed.ok() && !IsLoopbackHost(parsed->host);
}

void CheckExposure(const ServeOptions& options, Findings& findings) {
  const bool is_exposed =
      IsReachedByOthers(options.listen) || IsReachedByOthers(options.http.listen);
  if (!is_exposed) {
    findings.Ok("exposure", "only this machine reaches the server");
  } else if (!HasAuthentication(options)) {
    findings.Warning("exposure",
                     "other machines reach the server, and whoever does may read, write and drop "
                     "everything",
                     "give token_file, user_file, jwks or client_ca, or listen on 127.0.0.1");
  } else if (options.tls.certificate.empty()) {
    findings.Warning("exposure", "tokens and passwords cross the network unencrypted",
                     "give tls_cert and tls_key, unless a proxy or a private network encrypts");
  } else {
    findings.Ok("exposure", "other machines reach the server, encrypted and with authentication");
  }
}

}  // namespace

void CheckListeners(const ServeOptions& options, Findings& findings) {
  CheckFlight(options.listen, findings);
  CheckTcpSetting("http", options.http.listen, findings);
  CheckTcpSetting("metrics", options.http.metrics_listen, findings);
  CheckExposure(options, findings);
}

}  // namespace hangar
