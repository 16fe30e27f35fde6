#include "base/host_port.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

TEST(HostPort, IsAHostAndAPort) {
  for (const char* text : {"0.0.0.0:8816", "localhost:0", "[::1]:65535", "data.example.org:80"}) {
    const auto address = ParseHostPort(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseHostPort("[::1]:7")->host, "::1");
  EXPECT_EQ(ParseHostPort("a:7")->port, 7);
}

TEST(HostPort, RefusesAllElse) {
  for (const char* text :
       {"", ":", "8816", ":8816", "host", "host:", "host:x", "host:-1", "::1:80", "[::1]",
        "host:65536", "http://host:80", "a b:80", "host:80/", "[]:80"}) {
    EXPECT_EQ(KindOf(ParseHostPort(text).status()), ErrorKind::kInvalidArgument) << text;
  }
}

}  // namespace
}  // namespace hangar
