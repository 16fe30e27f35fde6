#include <memory>
#include <thread>

#include <benchmark/benchmark.h>

#include "base/bounded_queue.h"
#include "base/worker_pool.h"

namespace hangar {
namespace {

constexpr int64_t kQueueBytes = 16 << 20;
constexpr int64_t kItemBytes = 1 << 20;

// Items of a mebibyte from one thread to another, as many pairs at once as there are threads: each
// read has a queue of its own, so that pairs should not slow each other down while there are
// processors left.
void PairsOfThreads(benchmark::State& state) {
  BoundedQueue<int> queue(kQueueBytes);
  std::jthread consumer([&queue] {
    while (queue.Pop()) {
    }
  });
  for (auto _ : state) queue.Push(1, kItemBytes);
  queue.Close();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(PairsOfThreads)->ThreadRange(1, 16)->UseRealTime();

// All threads share one pool, as all reads do: what handing a task over costs, when the task is
// nothing.
void TasksOfManyThreads(benchmark::State& state) {
  static std::unique_ptr<WorkerPool> pool;
  if (state.thread_index() == 0) {
    pool = std::make_unique<WorkerPool>(WorkerPool::ProcessorCount());
  }
  BoundedQueue<int> done(kQueueBytes);
  for (auto _ : state) {
    pool->Submit([&done] { done.Push(1, 1); });
    done.Pop();
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) pool.reset();
}
BENCHMARK(TasksOfManyThreads)->ThreadRange(1, 16)->UseRealTime();

}  // namespace
}  // namespace hangar
