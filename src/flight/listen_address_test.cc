#include "flight/listen_address.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddress, TakesTcpAndUnixAddresses) {
  const auto tcp = ParseListenAddress("grpc://0.0.0.0:8815");
  ASSERT_TRUE(tcp.ok());
  EXPECT_EQ(tcp->host, "0.0.0.0");
  EXPECT_EQ(tcp->port, 8815);
  EXPECT_EQ(tcp->ToUri(9), "grpc://0.0.0.0:9");
  const auto ipv6 = ParseListenAddress("grpc+tcp://[::1]:0");
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->host, "::1");
  EXPECT_EQ(ipv6->ToUri(7), "grpc+tcp://[::1]:7");
  const auto encrypted = ParseListenAddress("grpc+tls://data.example.org:443");
  ASSERT_TRUE(encrypted.ok());
  EXPECT_TRUE(encrypted->is_tls());
  EXPECT_EQ(encrypted->ToUri(443), "grpc+tls://data.example.org:443");
  const auto socket = ParseListenAddress("grpc+unix:///run/hangar.sock");
  ASSERT_TRUE(socket.ok());
  EXPECT_TRUE(socket->is_unix());
  EXPECT_EQ(socket->ToUri(0), "grpc+unix:///run/hangar.sock");
}

TEST(ListenAddress, RefusesTheRestWithAnExample) {
  for (const char* wrong :
       {"", "8815", "localhost:8815", "http://x:1", "grpc://", "grpc://x", "grpc://x:", "grpc://:1",
        "grpc://x:65536", "grpc://x:-1", "grpc://x:1x", "grpc://::1:5", "grpc://[::1]",
        "grpc+unix://relative", "grpc+tls://x", "grpcs://x:1"}) {
    const auto address = ParseListenAddress(wrong);
    ASSERT_FALSE(address.ok()) << wrong;
    EXPECT_EQ(KindOf(address.status()), ErrorKind::kInvalidArgument);
    EXPECT_THAT(address.status().message(), HasSubstr("grpc://0.0.0.0:8815"));
  }
}

TEST(ListenAddress, SaysThatAPortIsInUse) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(socket, generic, length), 0);
  ASSERT_EQ(::listen(socket, 1), 0);
  ASSERT_EQ(::getsockname(socket, generic, &length), 0);
  const std::string uri = "grpc://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  const auto status = CheckCanListen(ParseListenAddress(uri).ValueOrDie());
  ::close(socket);
  EXPECT_EQ(KindOf(status), ErrorKind::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("in use"));
  EXPECT_THAT(status.message(), HasSubstr(uri));
}

}  // namespace
}  // namespace hangar
