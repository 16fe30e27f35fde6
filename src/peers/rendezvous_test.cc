#include "peers/rendezvous.h"

#include <algorithm>
#include <cmath>
#include <format>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using testing::ElementsAreArray;
using testing::IsEmpty;

constexpr int kKeys = 10'000;

std::vector<std::string> Nodes(int count) {
  std::vector<std::string> nodes;
  for (int i = 1; i <= count; ++i) nodes.push_back(std::format("grpc://10.0.0.{}:8815", i));
  return nodes;
}

// As endpoints have them: a version and a row group.
std::string Key(int i) { return std::format("{:032x}/{}", i / 8, i % 8); }

std::string First(const std::vector<std::string>& nodes, int key) {
  return RendezvousOrder(nodes, Key(key), 1).at(0);
}

TEST(Rendezvous, EveryNodeGetsItsShare) {
  for (const int count : {2, 3, 7, 50}) {
    std::map<std::string, int> shares;
    for (int i = 0; i < kKeys; ++i) ++shares[First(Nodes(count), i)];
    ASSERT_EQ(shares.size(), static_cast<size_t>(count));
    const double fair = static_cast<double>(kKeys) / count;
    // Five standard deviations of a fair draw.
    const double bound = 5 * std::sqrt(fair * (1 - 1.0 / count));
    for (const auto& [node, share] : shares) EXPECT_NEAR(share, fair, bound) << node;
  }
}

TEST(Rendezvous, OfANodeThatGoesOnlyItsShareMoves) {
  const std::vector<std::string> before = Nodes(5);
  std::vector<std::string> after = before;
  const std::string gone = after[2];
  after.erase(after.begin() + 2);
  int moved = 0;
  std::map<std::string, int> taken;
  for (int i = 0; i < kKeys; ++i) {
    const auto was = RendezvousOrder(before, Key(i), 2);
    const std::string is = First(after, i);
    if (was[0] != gone) {
      ASSERT_EQ(is, was[0]);
      continue;
    }
    ++moved;
    ++taken[is];
    // Clients that hold an older answer turn to the same one.
    ASSERT_EQ(is, was[1]);
  }
  EXPECT_NEAR(moved, kKeys / 5, 5 * std::sqrt(kKeys / 5.0));
  // The others share it.
  for (const auto& [node, share] : taken) EXPECT_NEAR(share, moved / 4, moved / 16) << node;
  EXPECT_EQ(taken.size(), 4);
}

TEST(Rendezvous, TheOrderOfTheNodesDoesNotMatter) {
  std::vector<std::string> reversed = Nodes(6);
  std::ranges::reverse(reversed);
  for (int i = 0; i < 100; ++i) {
    EXPECT_THAT(RendezvousOrder(reversed, Key(i), 4),
                ElementsAreArray(RendezvousOrder(Nodes(6), Key(i), 4)));
  }
}

TEST(Rendezvous, ThereAreAsManyAsThereAreOrAreWanted) {
  EXPECT_EQ(RendezvousOrder(Nodes(3), "k", 4).size(), 3);
  EXPECT_EQ(RendezvousOrder(Nodes(9), "k", 4).size(), 4);
  EXPECT_THAT(RendezvousOrder({}, "k", 4), IsEmpty());
}

}  // namespace
}  // namespace hangar
