#include "app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <format>
#include <utility>

#include "base/unique_descriptor.h"

namespace hangar {
namespace {

// The error of sending one datagram; 0 where it was sent.
int SendDatagram(const std::string& socket, std::string_view message) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (socket.size() >= sizeof(name.sun_path)) return ENAMETOOLONG;
  std::memcpy(name.sun_path, socket.data(), socket.size());
  // An abstract name begins with a zero byte, and ends where the length says.
  if (name.sun_path[0] == '@') name.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket.size());
  const UniqueDescriptor sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!sender.is_open()) return errno;
  const ssize_t sent = ::sendto(sender.get(), message.data(), message.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&name), length);
  return sent < 0 ? errno : 0;
}

}  // namespace

ServiceManager::ServiceManager(std::string socket, std::shared_ptr<Logger> logger)
    : socket_(std::move(socket)), logger_(std::move(logger)) {}

ServiceManager ServiceManager::FromEnvironment(std::shared_ptr<Logger> logger) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  ServiceManager manager(socket == nullptr ? "" : socket, std::move(logger));
  ::unsetenv("NOTIFY_SOCKET");
  return manager;
}

void ServiceManager::Ready(std::string_view status) const {
  Send(std::format("READY=1\nSTATUS={}\n", status));
}

void ServiceManager::Reloading() const {
  // systemd tells by it which Ready belongs to which reload.
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  Send(std::format("RELOADING=1\nMONOTONIC_USEC={}\n", now.count()));
}

void ServiceManager::Stopping() const { Send("STOPPING=1\nSTATUS=letting running calls end\n"); }

void ServiceManager::Send(std::string_view message) const {
  if (socket_.empty()) return;
  if (const int error = SendDatagram(socket_, message)) {
    logger_->Warning("the service manager cannot be told", {{"error", std::strerror(error)}});
  }
}

}  // namespace hangar
