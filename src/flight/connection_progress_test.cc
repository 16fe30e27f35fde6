#include "flight/connection_progress.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <format>
#include <string>

#include <gtest/gtest.h>

namespace hangar {
namespace {

// A connection over loopback whose both ends this process holds.
class Connection {
 public:
  Connection() {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener, generic, sizeof(address)), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    EXPECT_EQ(::getsockname(listener, generic, &length), 0);
    client_ = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(::connect(client_, generic, sizeof(address)), 0);
    server_ = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    EXPECT_EQ(::getsockname(client_, generic, &length), 0);
    peer_ = std::format("ipv4:127.0.0.1:{}", ntohs(address.sin_port));
  }
  ~Connection() {
    ::close(client_);
    ::close(server_);
  }

  /// Sends and takes that many bytes at the other end.
  void ClientSends(size_t bytes) const { Move(client_, server_, bytes); }
  void ServerSends(size_t bytes) const { Move(server_, client_, bytes); }

  /// The client, as the server's end sees it.
  const std::string& peer() const { return peer_; }

 private:
  static void Move(int from, int to, size_t bytes) {
    const std::string sent(bytes, 'x');
    ASSERT_EQ(::send(from, sent.data(), sent.size(), 0), static_cast<ssize_t>(sent.size()));
    std::string taken(bytes, '\0');
    ASSERT_EQ(::recv(to, taken.data(), taken.size(), MSG_WAITALL), static_cast<ssize_t>(bytes));
  }

  int client_ = -1;
  int server_ = -1;
  std::string peer_;
};

TEST(ConnectionProgress, CountsWhatAPeerTookAndSent) {
  const Connection connection;
  const ConnectionProgress before = ProgressByPeer().at(connection.peer());
  connection.ClientSends(3000);
  const ConnectionProgress received = ProgressByPeer().at(connection.peer());
  EXPECT_EQ(received.received - before.received, 3000);
  connection.ServerSends(5000);
  connection.ClientSends(1);  // Carries the acknowledgement of what came before.
  const ConnectionProgress sent = ProgressByPeer().at(connection.peer());
  EXPECT_EQ(sent.acknowledged - before.acknowledged, 5000);
}

TEST(ConnectionProgress, NamesTheCallerByItsAddressAlone) {
  EXPECT_EQ(AddressOfPeer("ipv4:192.0.2.1:5000"), "192.0.2.1");
  EXPECT_EQ(AddressOfPeer("ipv6:%5B2001:db8::1%5D:5000"), "2001:db8::1");
  EXPECT_EQ(AddressOfPeer("ipv6:[2001:db8::1]:5000"), "2001:db8::1");
  EXPECT_EQ(AddressOfPeer("unix:"), "unix");
  EXPECT_EQ(AddressOfPeer("unix:/run/hangar.sock"), "unix");
  EXPECT_EQ(AddressOfPeer(""), "");
}

TEST(TextOfPeer, IsAsPeopleWriteAddresses) {
  EXPECT_EQ(TextOfPeer("ipv4:192.0.2.1:5000"), "192.0.2.1:5000");
  EXPECT_EQ(TextOfPeer("ipv6:%5B2001:db8::1%5D:5000"), "[2001:db8::1]:5000");
  EXPECT_EQ(TextOfPeer("ipv6:[2001:db8::1]:5000"), "[2001:db8::1]:5000");
  EXPECT_EQ(TextOfPeer("unix:/run/hangar.sock"), "unix");
  EXPECT_EQ(TextOfPeer(""), "");
}

}  // namespace
}  // namespace hangar
