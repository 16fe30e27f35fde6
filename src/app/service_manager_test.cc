#include "app/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <format>
#include <string>

#include <gmock/gmock.h>

#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The service manager's end: a datagram socket with an abstract name, which no file has to be
// removed for.
class NotifySocket {
 public:
  NotifySocket() : name_(std::format("@hangar-notify-{}", ::getpid())) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name_.data() + 1, name_.size() - 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
  }
  ~NotifySocket() { ::close(fd_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  const std::string& name() const { return name_; }
  std::string Receive() const {
    char buffer[512];
    const ssize_t size = ::recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  const std::string name_;
  int fd_ = -1;
};

TEST(ServiceManager, IsToldOfEachStep) {
  const NotifySocket socket;
  const auto logger = std::make_shared<RecordingLogger>();
  const ServiceManager manager(socket.name(), logger);
  manager.Ready("listening on grpc://127.0.0.1:8815");
  EXPECT_EQ(socket.Receive(), "READY=1\nSTATUS=listening on grpc://127.0.0.1:8815\n");
  manager.Reloading();
  EXPECT_THAT(socket.Receive(), StartsWith("RELOADING=1\nMONOTONIC_USEC="));
  manager.Stopping();
  EXPECT_THAT(socket.Receive(), HasSubstr("STOPPING=1\n"));
}

TEST(ServiceManager, TheVariableIsNotLeftToChildren) {
  const NotifySocket socket;
  ::setenv("NOTIFY_SOCKET", socket.name().c_str(), 1);
  const auto logger = std::make_shared<RecordingLogger>();
  ServiceManager::FromEnvironment(logger).Ready("up");
  EXPECT_THAT(socket.Receive(), StartsWith("READY=1"));
  EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr);
  ServiceManager::FromEnvironment(logger).Ready("up");
  EXPECT_EQ(socket.Receive(), "");
}

TEST(ServiceManager, OneThatDoesNotListenIsSaidInTheLog) {
  const auto logger = std::make_shared<RecordingLogger>();
  ServiceManager("/nowhere/notify", logger).Ready("up");
  ServiceManager(std::string(200, '/'), logger).Stopping();
  EXPECT_EQ(logger->lines().size(), 2U);
}

}  // namespace
}  // namespace hangar
