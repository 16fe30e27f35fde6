#include "read/read_ahead_budget.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(ReadAheadBudget, ManyReadsShareWhatAFewMayHaveWhole) {
  ReadAheadBudget budget({.all_bytes = 1'000, .read_bytes = 300});
  std::vector<std::unique_ptr<ReadAheadBudget::Share>> shares;
  shares.push_back(std::make_unique<ReadAheadBudget::Share>(&budget));
  EXPECT_EQ(shares[0]->bytes(), 300);
  for (int i = 1; i < 3; ++i) {
    shares.push_back(std::make_unique<ReadAheadBudget::Share>(&budget));
  }
  EXPECT_EQ(shares[0]->bytes(), 300);
  for (int i = 3; i < 10; ++i) {
    shares.push_back(std::make_unique<ReadAheadBudget::Share>(&budget));
  }
  EXPECT_EQ(shares[0]->bytes(), 100);
  shares.resize(1);
  EXPECT_EQ(shares[0]->bytes(), 300);
}

}  // namespace
}  // namespace hangar
