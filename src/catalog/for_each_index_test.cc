#include "catalog/for_each_index.h"

#include <atomic>
#include <latch>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "base/worker_pool.h"

namespace hangar {
namespace {

TEST(ForEachIndex, EachIndexIsWorkedOnOnce) {
  WorkerPool workers(3);
  for (const size_t count : {0, 1, 2, 7, 1000}) {
    std::vector<std::atomic<int>> times(count);
    ForEachIndex(&workers, count, [&](size_t i) { ++times[i]; });
    for (const auto& seen : times) EXPECT_EQ(seen, 1);
  }
}

TEST(ForEachIndex, APoolThatIsBusyOrMissingDoesNotHoldItUp) {
  std::atomic<int> sum = 0;
  ForEachIndex(nullptr, 10, [&](size_t) { ++sum; });
  EXPECT_EQ(sum, 10);

  const auto may_end = std::make_shared<std::latch>(1);
  WorkerPool workers(2);
  for (int i = 0; i < 2; ++i) workers.Submit([may_end] { may_end->wait(); });
  ForEachIndex(&workers, 10, [&](size_t) { ++sum; });
  EXPECT_EQ(sum, 20);
  may_end->count_down();
}

TEST(ForEachIndex, ThePoolsThreadsTakePart) {
  WorkerPool workers(2);
  std::latch both(2);  // Passed only by two indices that are worked on at the same time.
  ForEachIndex(&workers, 2, [&](size_t) { both.arrive_and_wait(); });
}

}  // namespace
}  // namespace hangar
