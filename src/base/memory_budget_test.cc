#include "base/memory_budget.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(MemoryBudget, GivesWhatFitsAndNothingOfWhatDoesNot) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryTake(60));
  EXPECT_FALSE(budget.TryTake(41));
  EXPECT_EQ(budget.taken_bytes(), 60);
  EXPECT_TRUE(budget.TryTake(40));
  EXPECT_TRUE(budget.TryTake(0));
  EXPECT_FALSE(budget.TryTake(1));
  budget.Give(100);
  EXPECT_TRUE(budget.TryTake(100));
}

TEST(MemoryBudget, RefusesTheLargestNumberWithoutOverflowing) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.TryTake(100));
  EXPECT_FALSE(budget.TryTake(MemoryBudget::kUnlimited));
  MemoryBudget unlimited(MemoryBudget::kUnlimited);
  EXPECT_TRUE(unlimited.TryTake(MemoryBudget::kUnlimited - 1));
  EXPECT_FALSE(unlimited.TryTake(2));
}

TEST(MemoryBudget, HasTheReclaimerMakeRoomUntilNothingIsLeft) {
  MemoryBudget budget(100);
  ASSERT_TRUE(budget.TryTake(100));
  int64_t cached_bytes = 80;
  budget.SetReclaimer([&](int64_t) {
    const int64_t freed_bytes = std::min<int64_t>(cached_bytes, 10);
    cached_bytes -= freed_bytes;
    budget.Give(freed_bytes);
    return freed_bytes;
  });
  EXPECT_TRUE(budget.TryTake(25));
  EXPECT_EQ(cached_bytes, 50) << "no more than was needed gives way";
  EXPECT_FALSE(budget.TryTake(60));
  EXPECT_EQ(cached_bytes, 0);
  EXPECT_FALSE(budget.TryTake(1'000)) << "and what could never fit reclaims nothing";
}

TEST(MemoryBudget, AReclaimerThatWasTakenAwayIsNotCalled) {
  MemoryBudget budget(10);
  int calls = 0;
  budget.SetReclaimer([&](int64_t) {
    ++calls;
    return 0;
  });
  ASSERT_TRUE(budget.TryTake(10));
  EXPECT_FALSE(budget.TryTake(1));
  budget.SetReclaimer(nullptr);
  EXPECT_FALSE(budget.TryTake(1));
  EXPECT_EQ(calls, 1);
}

TEST(MemoryBudget, ThreadsNeverTakeMoreThanThereIs) {
  constexpr int64_t kCapacity = 50;
  MemoryBudget budget(kCapacity);
  std::atomic<int64_t> held = 0;
  std::atomic<bool> exceeded = false;
  std::vector<std::jthread> threads;
  for (int64_t bytes : {7, 11, 13, 29}) {
    threads.emplace_back([&, bytes] {
      for (int i = 0; i < 20'000; ++i) {
        if (!budget.TryTake(bytes)) continue;
        if (held.fetch_add(bytes) + bytes > kCapacity) exceeded = true;
        held.fetch_sub(bytes);
        budget.Give(bytes);
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(exceeded);
  EXPECT_EQ(budget.taken_bytes(), 0);
}

TEST(BudgetShare, GivesBackOnceWhereverItWasMovedTo) {
  MemoryBudget budget(100);
  {
    BudgetShare share;
    ASSERT_TRUE(share.TryTake(&budget, 70));
    BudgetShare refused;
    EXPECT_FALSE(refused.TryTake(&budget, 31));
    BudgetShare moved = std::move(share);
    EXPECT_EQ(budget.taken_bytes(), 70);
  }
  EXPECT_EQ(budget.taken_bytes(), 0);
}

}  // namespace
}  // namespace hangar
