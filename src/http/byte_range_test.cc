#include "http/byte_range.h"

#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using Kind = RequestedRanges::Kind;
using testing::ElementsAre;

std::vector<ByteRange> Parts(std::string_view header, int64_t size) {
  const auto ranges = ParseRange(header, size);
  EXPECT_EQ(ranges.kind, Kind::kParts) << header;
  return ranges.parts;
}

TEST(ParseRange, GivesFirstsLastsAndSuffixes) {
  EXPECT_THAT(Parts("bytes=0-9", 1000), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(Parts("bytes=990-", 1000), ElementsAre(ByteRange{990, 10}));
  EXPECT_THAT(Parts("bytes=-10", 1000), ElementsAre(ByteRange{990, 10}));
  EXPECT_THAT(Parts("bytes=990-2000", 1000), ElementsAre(ByteRange{990, 10}));
  EXPECT_THAT(Parts("bytes=-2000", 1000), ElementsAre(ByteRange{0, 1000}));
}

TEST(ParseRange, KeepsTheOrderAndMergesWhatIsNear) {
  EXPECT_THAT(Parts("bytes=5000-5009,0-9", 10'000),
              ElementsAre(ByteRange{5000, 10}, ByteRange{0, 10}));
  EXPECT_THAT(Parts("bytes=0-9,5-19,20-29", 10'000), ElementsAre(ByteRange{0, 30}));
  EXPECT_THAT(Parts("bytes=0-9,110-119", 10'000), ElementsAre(ByteRange{0, 120}));
  // The last one joins the two before it.
  EXPECT_THAT(Parts("bytes=0-9,400-409,100-300", 10'000), ElementsAre(ByteRange{0, 410}));
}

TEST(ParseRange, TellsWhatCannotBeHadFromWhatIsNoRange) {
  EXPECT_EQ(ParseRange("bytes=1000-", 1000).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(ParseRange("bytes=-0", 1000).kind, Kind::kUnsatisfiable);
  for (const auto* header :
       {"bytes=", "bytes=5", "bytes=9-5", "rows=0-1", "bytes=a-", "", "=0-1"}) {
    EXPECT_EQ(ParseRange(header, 1000).kind, Kind::kWhole) << header;
  }
}

TEST(ParseRange, RefusesMoreThanItsLimit) {
  std::string header = "bytes=0-0";
  for (int i = 1; i < kRangesMax; ++i) header += ",0-0";
  EXPECT_EQ(ParseRange(header, 1000).kind, Kind::kParts);
  EXPECT_EQ(ParseRange(header + ",0-0", 1000).kind, Kind::kUnsatisfiable);
}

TEST(ParseRange, WhateverIsAskedForLiesInTheFileAndNoByteTwice) {
  std::mt19937 random(4711);
  constexpr int64_t kSize = 2'000;
  for (int round = 0; round < 2'000; ++round) {
    std::string header = "bytes=";
    for (unsigned i = random() % 8 + 1; i > 0; --i) {
      const int64_t first = random() % (kSize + 100);
      header += std::to_string(first) + "-" + std::to_string(first + random() % 300) + ",";
    }
    int64_t total = 0;
    for (const ByteRange& part : ParseRange(header, kSize).parts) {
      EXPECT_GE(part.offset, 0);
      EXPECT_GT(part.length, 0);
      EXPECT_LE(part.offset + part.length, kSize);
      total += part.length;
    }
    EXPECT_LE(total, kSize) << header;
  }
}

}  // namespace
}  // namespace hangar
