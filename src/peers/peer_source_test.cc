#include "peers/peer_source.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <arrow/testing/gtest_util.h>
#include <arrow/util/io_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const FlightAddress kSelf = ParseFlightAddress("grpc://self:1").ValueOrDie();

class PeerSourceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = arrow::internal::TemporaryDir::Make("hangar-peers-").ValueOrDie();
    path_ = folder_->path().ToString() + "peers";
  }

  // In one step, as editors and tools that take care do.
  void WriteFile(const std::string& text) const {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }

  arrow::Result<std::unique_ptr<PeerSource>> Make(const std::vector<std::string>& settings,
                                                  const FlightAddress& self = kSelf) const {
    return MakePeerSource(settings, self, logger_);
  }

  // Its own address has a '*' before it.
  static std::vector<std::string> Said(PeerSource& source) {
    std::vector<std::string> uris;
    for (const Peer& peer : source.Current()) {
      uris.push_back((peer.is_self ? "*" : "") + peer.address.ToUri());
    }
    return uris;
  }

  // Files and names are looked at in intervals.
  static void WaitFor(PeerSource& source, const std::vector<std::string>& want) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (Said(source) != want && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_EQ(Said(source), want);
  }

  std::unique_ptr<arrow::internal::TemporaryDir> folder_;
  std::string path_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(PeerSourceTest, ThisServerIsFoundAmongThoseListed) {
  ASSERT_OK_AND_ASSIGN(const auto source, Make({"grpc://a:1", "grpc+tcp://SELF:1", "grpc://a:1"}));
  EXPECT_THAT(Said(*source), ElementsAre("grpc://a:1", "*grpc://self:1"));
}

TEST_F(PeerSourceTest, ThisServerIsAddedWhereAListDoesNotHaveIt) {
  WriteFile("grpc://a:1\n");
  ASSERT_OK_AND_ASSIGN(const auto source, Make({"file:" + path_}));
  EXPECT_THAT(Said(*source), ElementsAre("grpc://a:1", "*grpc://self:1"));
}

TEST_F(PeerSourceTest, AFileIsReadAgainWhenItChangesAndNotTakenWhenItIsWrong) {
  WriteFile("# Three servers.\n\n  grpc://a:1\t# The first.\r\ngrpc://self:1");
  ASSERT_OK_AND_ASSIGN(const auto source, Make({"file:" + path_}));
  EXPECT_THAT(Said(*source), ElementsAre("grpc://a:1", "*grpc://self:1"));
  WriteFile("grpc://b:1\n");
  WaitFor(*source, {"grpc://b:1", "*grpc://self:1"});
  WriteFile("grpc://c:1\nd:1\n");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (logger_->lines().empty() && std::chrono::steady_clock::now() < deadline) Said(*source);
  EXPECT_THAT(logger_->lines(), Contains(HasSubstr("line 2: 'd:1' is not the address")));
  EXPECT_THAT(Said(*source), ElementsAre("grpc://b:1", "*grpc://self:1"));
}

TEST_F(PeerSourceTest, WhatIsWrongAtTheStartIsAnError) {
  EXPECT_EQ(KindOf(Make({"file:" + path_}).status()), ErrorKind::kFailedPrecondition);
  WriteFile("grpc://a:1\ngrpc://b:0\n");
  const auto wrong = Make({"file:" + path_}).status();
  EXPECT_EQ(KindOf(wrong), ErrorKind::kInvalidArgument);
  EXPECT_THAT(wrong.message(), HasSubstr("line 2"));
  EXPECT_EQ(KindOf(Make({"a:1"}).status()), ErrorKind::kInvalidArgument);
}

TEST_F(PeerSourceTest, ANameStandsForAllItsAddressesAndThisServerIsOneOfThem) {
  const auto self = ParseFlightAddress("grpc://127.0.0.1:7").ValueOrDie();
  ASSERT_OK_AND_ASSIGN(const auto source, Make({"dns:127.0.0.1:7", "dns+tls:127.0.0.2:8"}, self));
  WaitFor(*source, {"*grpc://127.0.0.1:7", "grpc+tls://127.0.0.2:8"});
}

TEST_F(PeerSourceTest, ANameThatMeansNothingIsSaidOnceAndLeavesThisServer) {
  ASSERT_OK_AND_ASSIGN(const auto source, Make({"dns:no-such-name.invalid:7"}));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (logger_->lines().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_THAT(logger_->lines(), ElementsAre(HasSubstr("cannot be resolved")));
  EXPECT_THAT(Said(*source), ElementsAre("*grpc://self:1"));
}

TEST(ParsePeerFile, AFileMayBeEmpty) {
  EXPECT_THAT(ParsePeerFile("", "f").ValueOrDie(), IsEmpty());
  EXPECT_THAT(ParsePeerFile("\n# nobody\n", "f").ValueOrDie(), IsEmpty());
}

}  // namespace
}  // namespace hangar
