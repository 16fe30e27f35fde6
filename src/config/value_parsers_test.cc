#include "config/value_parsers.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

TEST(ParseMemoryAmount, TakesBytesWithUnitsAndParts) {
  EXPECT_EQ(*ParseMemoryAmount("0"), MemoryAmount{});
  EXPECT_EQ(*ParseMemoryAmount("512MiB"), (MemoryAmount{.bytes = 512LL << 20}));
  EXPECT_EQ(*ParseMemoryAmount("4GiB"), (MemoryAmount{.bytes = 4LL << 30}));
  EXPECT_EQ(*ParseMemoryAmount("25%"), (MemoryAmount{.percent = 25}));
  for (const char* wrong : {"", "5", "-1GiB", "1GB", "101%", "GiB", "1 GiB", "99999999TiB"}) {
    EXPECT_EQ(KindOf(ParseMemoryAmount(wrong).status()), ErrorKind::kInvalidArgument) << wrong;
  }
}

TEST(ParseCount, TakesWholeNumbersFromTheLeast) {
  EXPECT_EQ(*ParseCount("0", 0), 0);
  EXPECT_EQ(*ParseCount("1000000000", 1), 1'000'000'000);
  for (const char* wrong : {"", "0", "-1", "1.5", "1e3", "7x", " 7", "1000000001"}) {
    EXPECT_EQ(KindOf(ParseCount(wrong, 1).status()), ErrorKind::kInvalidArgument) << wrong;
  }
}

TEST(ParseDuration, TakesNumbersWithUnitsOnly) {
  EXPECT_EQ(*ParseDuration("500ms"), std::chrono::milliseconds(500));
  EXPECT_EQ(*ParseDuration("30s"), std::chrono::seconds(30));
  EXPECT_EQ(*ParseDuration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(*ParseDuration("1h"), std::chrono::hours(1));
  EXPECT_EQ(*ParseDuration("2d"), std::chrono::hours(48));
  EXPECT_EQ(*ParseDuration("0s"), std::chrono::seconds(0));
  for (const char* wrong : {"", "30", "s", "-1s", "1.5s", "1w", "1 s", "9999999999999999h"}) {
    EXPECT_FALSE(ParseDuration(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hangar
