#include "base/bounded_queue.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(BoundedQueue, KeepsTheOrderBetweenTwoThreads) {
  BoundedQueue<int> queue(/*weight_max=*/3);
  std::thread producer([&] {
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(queue.Push(i, 1));
    queue.Close();
  });
  int expected = 0;
  while (auto item = queue.Pop()) EXPECT_EQ(*item, expected++);
  EXPECT_EQ(expected, 10'000);
  producer.join();
}

TEST(BoundedQueue, NeverHoldsMoreThanItsWeight) {
  constexpr int kWeightMax = 10;
  BoundedQueue<int> queue(kWeightMax);
  std::atomic<int> inside = 0;
  std::thread producer([&] {
    for (int i = 0; i < 2'000; ++i) {
      const int weight = 1 + i % 7;
      ASSERT_TRUE(queue.Push(weight, weight));
      inside += weight;
    }
    queue.Close();
  });
  while (auto weight = queue.Pop()) {
    // The producer counts after its push, so what it has counted was inside beside this item.
    EXPECT_LE(inside, kWeightMax + *weight);
    inside -= *weight;
  }
  producer.join();
  EXPECT_EQ(inside, 0);
}

TEST(BoundedQueue, TakesAnItemHeavierThanTheQueueWhenItIsEmpty) {
  BoundedQueue<int> queue(/*weight_max=*/1);
  EXPECT_TRUE(queue.Push(7, 100));
  EXPECT_EQ(queue.Pop(), 7);
}

TEST(BoundedQueue, CloseWakesAProducerThatWaitsAndTurnsItAway) {
  BoundedQueue<int> queue(/*weight_max=*/1);
  ASSERT_TRUE(queue.Push(1, 1));
  std::thread producer([&] { EXPECT_FALSE(queue.Push(2, 1)); });
  queue.Close();
  producer.join();
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, ManyProducersAndConsumersLoseNothing) {
  BoundedQueue<int> queue(/*weight_max=*/4);
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> consumers;
  for (int i = 0; i < 4; ++i) {
    consumers.emplace_back([&] {
      while (auto item = queue.Pop()) sum += *item;
    });
  }
  {
    std::vector<std::jthread> producers;
    for (int i = 0; i < 4; ++i) {
      producers.emplace_back([&] {
        for (int item = 1; item <= 1'000; ++item) ASSERT_TRUE(queue.Push(item, 1));
      });
    }
  }
  queue.Close();
  for (std::thread& consumer : consumers) consumer.join();
  EXPECT_EQ(sum, 4 * 1'000 * 1'001 / 2);
}

}  // namespace
}  // namespace hangar
