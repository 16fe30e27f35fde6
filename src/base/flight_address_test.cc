#include "base/flight_address.h"

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using Kind = PeerSetting::Kind;
using testing::HasSubstr;

std::string UriOf(std::string_view text) { return ParseFlightAddress(text).ValueOrDie().ToUri(); }

TEST(FlightAddress, TheSameAddressIsTheSameText) {
  EXPECT_EQ(UriOf("grpc://a.example.org:8815"), "grpc://a.example.org:8815");
  EXPECT_EQ(UriOf("grpc+tcp://A.Example.org:8815"), "grpc://a.example.org:8815");
  EXPECT_EQ(UriOf("grpc+tls://[2001:DB8::1]:1"), "grpc+tls://[2001:db8::1]:1");
}

TEST(FlightAddress, WhatNobodyCanConnectToIsNone) {
  for (const char* text : {"", "a:1", "grpc://a", "grpc://:1", "grpc://a:0", "grpc://a:65536",
                           "grpc://a:1/b", "http://a:1", "grpc+unix:///a", "grpc://a b:1"}) {
    EXPECT_EQ(KindOf(ParseFlightAddress(text).status()), ErrorKind::kInvalidArgument) << text;
  }
  EXPECT_THAT(ParseFlightAddress("grpc://a:0").status().message(), HasSubstr("port 0"));
}

TEST(PeerSetting, IsAnAddressAFileOrAName) {
  ASSERT_OK_AND_ASSIGN(const auto address, ParsePeerSetting("grpc://a:1"));
  EXPECT_EQ(address.kind, Kind::kAddress);
  EXPECT_EQ(address.address.ToUri(), "grpc://a:1");
  ASSERT_OK_AND_ASSIGN(const auto file, ParsePeerSetting("file:/etc/hangar/peers"));
  EXPECT_EQ(file.kind, Kind::kFile);
  EXPECT_EQ(file.path, "/etc/hangar/peers");
  ASSERT_OK_AND_ASSIGN(const auto name, ParsePeerSetting("dns:hangar.local:8815"));
  EXPECT_EQ(name.kind, Kind::kDns);
  EXPECT_EQ(name.address.ToUri(), "grpc://hangar.local:8815");
  ASSERT_OK_AND_ASSIGN(const auto encrypted, ParsePeerSetting("dns+tls:hangar.local:8815"));
  EXPECT_EQ(encrypted.address.ToUri(), "grpc+tls://hangar.local:8815");
}

TEST(PeerSetting, AnythingElseIsRefusedWithItsText) {
  for (const char* text : {"", "file:", "dns:", "dns:name", "dns:name:0", "dns+tls::1", "a:1"}) {
    const auto status = ParsePeerSetting(text).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), HasSubstr(text));
  }
}

}  // namespace
}  // namespace hangar
