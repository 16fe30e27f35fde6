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

TEST(ByteCache, TheLeastRecentlyUsedLeavesFirst) {
  // One hundred bytes a shard; the keys of one shard are found by filling it.
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("hot", Value("hot"), 10);
  for (int i = 0; i < 10'000; ++i) {
    cache.Insert(std::to_string(i), Value("cold"), 10);
    ASSERT_NE(cache.Find("hot"), nullptr);
  }
  EXPECT_EQ(cache.Find("0"), nullptr);
}

TEST(ByteCache, AValueLargerThanAShardIsNotKeptAndOldOnesStay) {
  ByteCache<std::string> cache(/*capacity_bytes=*/1600);
  cache.Insert("a", Value("small"), 10);
  cache.Insert("b", Value("large"), 101);
  EXPECT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(cache.Find("b"), nullptr);
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
