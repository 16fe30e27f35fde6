#include "cache/byte_cache.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

std::shared_ptr<const std::string> Value(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

TEST(ByteCache, FindsWhatWasInsertedAndReplacesByKey) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  EXPECT_EQ(cache.Find("a"), nullptr);
  cache.Insert("a", Value("one"), 10);
  cache.Insert("a", Value("two"), 20);
  EXPECT_EQ(*cache.Find("a"), "two");
  EXPECT_EQ(cache.charged_bytes(), 20);
}

TEST(ByteCache, NeverChargesMoreThanItsCapacity) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  for (int i = 0; i < 1000; ++i) {
    cache.Insert(std::to_string(i), Value("x"), 1 + i % 50);
    ASSERT_LE(cache.charged_bytes(), 1600);
  }
  EXPECT_GT(cache.charged_bytes(), 800);
}

TEST(ByteCache, WhatIsUsedAgainAndAgainOutlivesAnyNumberOfOthers) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("hot", Value("hot"), 10);
  for (int i = 0; i < 10'000; ++i) {
    cache.Insert(std::to_string(i), Value("cold"), 10);
    ASSERT_NE(cache.Find("hot"), nullptr);
  }
  EXPECT_EQ(cache.Find("0"), nullptr);
}

TEST(ByteCache, AHugeScanDoesNotThrowOutWhatWasReadTwice) {
  constexpr int kHot = 800;
  ByteCache<int, int> cache(/*capacity_bytes=*/1'600 * 10);
  const auto value = std::make_shared<const int>(1);
  for (int key = 0; key < kHot; ++key) cache.Insert(key, value, 10);
  for (int key = 0; key < kHot; ++key) cache.Find(key);
  for (int key = kHot; key < 100'000; ++key) cache.Insert(key, value, 10);
  int kept = 0;
  for (int key = 0; key < kHot; ++key) kept += cache.Find(key) != nullptr ? 1 : 0;
  // All of them, but for shards that more than their share of the keys fell to.
  EXPECT_GT(kept, kHot * 95 / 100);
}

TEST(ByteCache, WhatComesBackSoonAfterItLeftIsKept) {
  ByteCache<int, int> cache(/*capacity_bytes=*/1'600 * 10);
  const auto value = std::make_shared<const int>(1);
  for (int key = 0; key < 3'000; ++key) cache.Insert(key, value, 10);
  int left_last = 2'999;
  while (left_last >= 0 && cache.Find(left_last) != nullptr) --left_last;
  ASSERT_GT(left_last, 0);
  cache.Insert(left_last, value, 10);
  for (int key = 10'000; key < 100'000; ++key) cache.Insert(key, value, 10);
  EXPECT_NE(cache.Find(left_last), nullptr);
}

TEST(ByteCache, ClearLetsGoOfEverythingAndItFillsAgain) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("a", Value("one"), 10);
  const auto held = cache.Find("a");
  cache.Clear();
  EXPECT_EQ(cache.charged_bytes(), 0);
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(*held, "one");
  cache.Insert("a", Value("two"), 10);
  EXPECT_EQ(*cache.Find("a"), "two");
}

TEST(ByteCache, EraseLetsGoOfOneValueAndItsCharge) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("a", Value("one"), 10);
  cache.Insert("b", Value("two"), 20);
  cache.Erase("a");
  cache.Erase("never there");
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_NE(cache.Find("b"), nullptr);
  EXPECT_EQ(cache.charged_bytes(), 20);
}

TEST(ByteCache, ReleaseLetsGoOfWhatWasAskedForUntilNothingIsLeft) {
  ByteCache<int, int> cache(/*capacity_bytes=*/16'000);
  const auto value = std::make_shared<const int>(1);
  for (int key = 0; key < 800; ++key) cache.Insert(key, value, 10);
  const int64_t before = cache.charged_bytes();
  const int64_t released = cache.Release(1'000);
  EXPECT_GE(released, 1'000);
  EXPECT_LT(released, 1'010);
  EXPECT_EQ(cache.charged_bytes(), before - released);
  while (cache.Release(1'000) > 0) {
  }
  EXPECT_EQ(cache.charged_bytes(), 0);
}

TEST(ByteCache, ReleaseKeepsWhatIsUsedForTheLast) {
  ByteCache<int, int> cache(/*capacity_bytes=*/16'000);
  const auto value = std::make_shared<const int>(1);
  for (int key = 0; key < 800; ++key) cache.Insert(key, value, 10);
  for (int key = 0; key < 800; key += 4) cache.Find(key);
  const int64_t before = cache.charged_bytes();
  while (cache.charged_bytes() > before / 2) cache.Release(10);
  int used_left = 0;
  for (int key = 0; key < 800; key += 4) used_left += cache.Find(key) != nullptr ? 1 : 0;
  EXPECT_GT(used_left, 190);
}

TEST(ByteCache, AValueLargerThanAShardIsNotKeptAndOldOnesStay) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("a", Value("small"), 10);
  cache.Insert("b", Value("large"), 101);
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find("b"), nullptr);
}

TEST(ByteCache, CountsWhatWasFoundWhatWasNotAndWhatLeft) {
  ByteCache<std::string> cache(/*capacity_bytes=*/16);
  cache.Find("a");
  cache.Insert("a", Value("x"), 1);
  cache.Find("a");
  cache.Find("a");
  EXPECT_EQ(cache.stats().hits, 2);
  EXPECT_EQ(cache.stats().misses, 1);
  EXPECT_EQ(cache.stats().evictions, 0);
  cache.FindAgain("a");
  cache.FindAgain("b");
  EXPECT_EQ(cache.stats().hits + cache.stats().misses, 3);
  for (int i = 0; i < 100; ++i) cache.Insert(std::to_string(i), Value("x"), 1);
  EXPECT_EQ(cache.stats().evictions, 101 - cache.charged_bytes());
  cache.Erase("99");
  EXPECT_EQ(cache.stats().hits, 2);
}

TEST(ByteCache, AHeldValueOutlivesItsEviction) {
  ByteCache<std::string> cache(/*capacity_bytes=*/16);
  cache.Insert("a", Value("kept"), 1);
  const auto held = cache.Find("a");
  for (int i = 0; i < 100; ++i) cache.Insert(std::to_string(i), Value("x"), 1);
  EXPECT_EQ(*held, "kept");
}

TEST(ByteCache, ThreadsMayShareIt) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 5'000; ++i) {
        const std::string key = std::to_string((i * 7 + thread) % 300);
        if (const auto value = cache.Find(key)) {
          ASSERT_EQ(*value, key);
        } else {
          cache.Insert(key, Value(key), 10);
        }
      }
    });
  }
  threads.clear();
  EXPECT_LE(cache.charged_bytes(), 1600);
}

}  // namespace
}  // namespace hangar
