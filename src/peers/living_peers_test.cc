#include "peers/living_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string kSelf = "grpc://self:1";
const std::string kA = "grpc://a:1";
const std::string kB = "grpc://b:1";

Peer PeerAt(const std::string& uri) {
  return {.address = ParseFlightAddress(uri).ValueOrDie(), .is_self = uri == kSelf};
}

class LivingPeersTest : public testing::Test {
 protected:
  LivingPeersTest() { SetPeers({kSelf, kA, kB}); }

  void SetPeers(const std::vector<std::string>& uris) {
    std::vector<Peer> peers;
    for (const std::string& uri : uris) peers.push_back(PeerAt(uri));
    peers_.SetPeers(peers);
  }
  std::vector<std::string> Living() { return peers_.LocationsOf("key"); }

  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
  LivingPeers peers_{logger_};
};

TEST_F(LivingPeersTest, ThisServerAloneIsNamedUntilOthersAnswer) {
  EXPECT_THAT(Living(), ElementsAre(kSelf));
  peers_.Note(kA, PeerHealth::kServing);
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
}

TEST_F(LivingPeersTest, OneLostAnswerIsNotADeathTwoAre) {
  peers_.Note(kA, PeerHealth::kServing);
  peers_.Note(kA, PeerHealth::kUnreachable);
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
  peers_.Note(kA, PeerHealth::kServing);
  peers_.Note(kA, PeerHealth::kUnreachable);
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
  peers_.Note(kA, PeerHealth::kUnreachable);
  EXPECT_THAT(Living(), ElementsAre(kSelf));
  peers_.Note(kA, PeerHealth::kServing);
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
}

TEST_F(LivingPeersTest, WhoSaysThatItDoesNotServeIsLeftOutAtOnce) {
  peers_.Note(kA, PeerHealth::kServing);
  peers_.Note(kA, PeerHealth::kNotServing);
  EXPECT_THAT(Living(), ElementsAre(kSelf));
}

TEST_F(LivingPeersTest, AServerThatStopsNamesTheOthers) {
  peers_.Note(kA, PeerHealth::kServing);
  peers_.StopNamingSelf();
  EXPECT_THAT(Living(), ElementsAre(kA));
  peers_.Note(kA, PeerHealth::kNotServing);
  EXPECT_THAT(Living(), ElementsAre(kSelf));
}

TEST_F(LivingPeersTest, WhatIsKnownOfThoseWhoStayIsKept) {
  peers_.Note(kA, PeerHealth::kServing);
  peers_.Note(kB, PeerHealth::kServing);
  SetPeers({kA, kSelf});
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
  peers_.Note(kB, PeerHealth::kServing);
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
  SetPeers({kA, kB, kSelf});
  EXPECT_THAT(Living(), UnorderedElementsAre(kSelf, kA));
}

TEST_F(LivingPeersTest, AnEndpointNamesFourAtMost) {
  std::vector<std::string> uris = {kSelf};
  for (char host = 'a'; host <= 'z'; ++host) uris.push_back(std::string("grpc://") + host + ":1");
  SetPeers(uris);
  for (const std::string& uri : uris) peers_.Note(uri, PeerHealth::kServing);
  EXPECT_EQ(Living().size(), LivingPeers::kLocationsMax);
}

TEST_F(LivingPeersTest, AChangeIsLoggedOnce) {
  const size_t before = logger_->lines().size();
  for (int i = 0; i < 3; ++i) peers_.Note(kA, PeerHealth::kServing);
  for (int i = 0; i < 3; ++i) peers_.Note(kA, PeerHealth::kUnreachable);
  for (int i = 0; i < 3; ++i) peers_.Note(kB, PeerHealth::kUnreachable);
  std::vector<std::string> lines = logger_->lines();
  lines.erase(lines.begin(), lines.begin() + static_cast<ptrdiff_t>(before));
  EXPECT_THAT(lines, ElementsAre("a peer serves " + kA, "a peer does not answer " + kA + " ",
                                 "a peer does not answer " + kB + " "));
}

TEST_F(LivingPeersTest, MetricsCountPeersByWhatTheyAre) {
  Metrics metrics;
  peers_.ShowIn(&metrics);
  peers_.Note(kA, PeerHealth::kNotServing);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("hangar_peers{state=\"serving\"} 1"));
  EXPECT_THAT(text, HasSubstr("hangar_peers{state=\"not_serving\"} 1"));
  EXPECT_THAT(text, HasSubstr("hangar_peers{state=\"unreachable\"} 1"));
  metrics.StopAsking();
}

}  // namespace
}  // namespace hangar
