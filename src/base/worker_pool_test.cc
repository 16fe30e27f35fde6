#include "base/worker_pool.h"

#include <atomic>
#include <functional>
#include <latch>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(WorkerPool, RunsEveryTaskBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    WorkerPool pool(3);
    for (int i = 0; i < 1'000; ++i) pool.Submit([&] { ++ran; });
  }
  EXPECT_EQ(ran, 1'000);
}

TEST(WorkerPool, RunsAsManyTasksAtOnceAsItHasThreads) {
  constexpr int kThreads = 4;
  // Each task waits for all others: with fewer threads this would never end. The latch outlives the
  // pool, as its last waiters are still leaving it when this thread goes on.
  std::latch all(kThreads + 1);
  WorkerPool pool(kThreads);
  for (int i = 0; i < kThreads; ++i) pool.Submit([&] { all.arrive_and_wait(); });
  all.arrive_and_wait();
  EXPECT_EQ(pool.threads(), kThreads);
}

TEST(WorkerPool, ATaskMaySubmitFurtherOnes) {
  std::atomic<int> ran = 0;
  std::function<void(WorkerPool&, int)> submit = [&](WorkerPool& pool, int depth) {
    ++ran;
    if (depth > 0) pool.Submit([&, depth] { submit(pool, depth - 1); });
  };
  {
    WorkerPool pool(2);
    submit(pool, 100);
  }
  EXPECT_EQ(ran, 101);
}

TEST(WorkerPool, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    WorkerPool pool(1);
    for (int i = 0; i < 100; ++i) pool.Submit([&order, i] { order.push_back(i); });
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

}  // namespace
}  // namespace hangar
