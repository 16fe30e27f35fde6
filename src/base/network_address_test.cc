#include "base/network_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

std::string TextOfV6(const char* text) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text, &address.sin6_addr), 1);
  return AddressText(reinterpret_cast<const sockaddr&>(address));
}

TEST(NetworkAddress, AnAddressIsSpeltTheSameWhicheverListenerSeesIt) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  ASSERT_EQ(::inet_pton(AF_INET, "192.0.2.1", &v4.sin_addr), 1);
  EXPECT_EQ(AddressText(reinterpret_cast<const sockaddr&>(v4)), "192.0.2.1");
  EXPECT_EQ(TextOfV6("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(TextOfV6("2001:DB8:0::1"), "2001:db8::1");
  sockaddr socket{};
  socket.sa_family = AF_UNIX;
  EXPECT_EQ(AddressText(socket), "unix");
}

TEST(NetworkAddress, KnowsTheHostsThatOnlyThisMachineReaches) {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"", "0.0.0.0", "::", "128.0.0.1", "10.0.0.1", "127.0.0.1.example.org",
                           "127.1", "localhost.example.org", "data.example.org", "::2", "[::1]"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

TEST(NetworkAddress, SecretsNeedEncryptionWhereOthersListen) {
  const DoorAddress plain{.uri = "grpc://0.0.0.0:1", .host = "0.0.0.0", .is_authenticated = true};
  const auto refused = CheckEncryption(plain);
  EXPECT_EQ(KindOf(refused), ErrorKind::kInvalidArgument);
  for (const char* part : {"grpc://0.0.0.0:1", "--tls-cert", "127.0.0.1", "--insecure"}) {
    EXPECT_THAT(refused.message(), HasSubstr(part));
  }
  DoorAddress fine = plain;
  fine.is_encrypted = true;
  EXPECT_TRUE(CheckEncryption(fine).ok());
  fine = plain;
  fine.insecure = true;
  EXPECT_TRUE(CheckEncryption(fine).ok());
  fine = plain;
  fine.is_authenticated = false;
  EXPECT_TRUE(CheckEncryption(fine).ok());
  fine = plain;
  fine.host = "127.0.0.1";
  EXPECT_TRUE(CheckEncryption(fine).ok());
  fine.host = "";
  EXPECT_TRUE(CheckEncryption(fine).ok());
}

}  // namespace
}  // namespace hangar
