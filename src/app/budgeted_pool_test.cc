#include "app/budgeted_pool.h"

#include <cstdint>

#include <arrow/memory_pool.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

class BudgetedPoolTest : public ::testing::Test {
 protected:
  MemoryBudget budget_{1'000};
  BudgetedPool pool_{arrow::system_memory_pool(), &budget_};
};

TEST_F(BudgetedPoolTest, CountsWhatIsAllocatedAndNoLongerWhatIsFreed) {
  uint8_t* buffer = nullptr;
  ASSERT_TRUE(pool_.Allocate(600, &buffer).ok());
  EXPECT_EQ(budget_.taken_bytes(), 600);
  ASSERT_TRUE(pool_.Reallocate(600, 300, &buffer).ok());
  EXPECT_EQ(budget_.taken_bytes(), 300);
  pool_.Free(buffer, 300);
  EXPECT_EQ(budget_.taken_bytes(), 0);
}

TEST_F(BudgetedPoolTest, WhatDoesNotFitIsOutOfMemoryAndLeavesEverythingAsItWas) {
  uint8_t* buffer = nullptr;
  EXPECT_TRUE(pool_.Allocate(1'001, &buffer).IsOutOfMemory());
  ASSERT_TRUE(pool_.Allocate(400, &buffer).ok());
  buffer[399] = 7;
  uint8_t* const before = buffer;
  EXPECT_TRUE(pool_.Reallocate(400, 900, &buffer).IsOutOfMemory())
      << "the old and the new block are there at the same time";
  EXPECT_EQ(buffer, before);
  EXPECT_EQ(buffer[399], 7);
  EXPECT_EQ(budget_.taken_bytes(), 400);
  ASSERT_TRUE(pool_.Reallocate(400, 600, &buffer).ok());
  EXPECT_EQ(buffer[399], 7);
  pool_.Free(buffer, 600);
}

TEST_F(BudgetedPoolTest, WhatTheBackendRefusesIsGivenBack) {
  uint8_t* buffer = nullptr;
  EXPECT_FALSE(pool_.Allocate(-1, &buffer).ok());
  MemoryBudget unlimited(MemoryBudget::kUnlimited);
  arrow::CappedMemoryPool backend(arrow::system_memory_pool(), /*bytes_allocated_limit=*/1000);
  BudgetedPool pool(&backend, &unlimited);
  EXPECT_TRUE(pool.Allocate(2000, &buffer).IsOutOfMemory());
  EXPECT_EQ(unlimited.taken_bytes(), 0);
}

}  // namespace
}  // namespace hangar
