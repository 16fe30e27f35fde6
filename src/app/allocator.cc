#include "app/allocator.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <arrow/memory_pool.h>

#include "app/budgeted_pool.h"
#include "base/worker_pool.h"

namespace hangar {
namespace {

// Blocks from this size on are mapped on their own and go back to the system when they are freed.
constexpr int kMappedBytesMin = 128 * 1024;
constexpr int kArenasMin = 2;

}  // namespace

// What a read decodes is allocated by the threads that decode and freed by those that send. With
// mimalloc 3.6, Arrow's first choice, pages go over to the thread that frees into them, which
// seldom allocates, and stay there: eight readers of a dataset that is not cached then hold 1.5
// GiB, with glibc's allocator 0.27 GiB, at 1.2 times the rate; 64 of them 2.2 and 0.32 GiB (two
// processors).
void ChooseAllocator(bool keeps_columns) {
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*overwrite=*/0);
  // glibc's own bound grows to 32 MiB with what is freed. Decoded columns, which are freed in
  // another order than they came, then lie in arenas full of holes: 120 MiB of cache held 270 MiB.
  // It costs cold reads a tenth of their rate with a cache and a quarter without one, as new pages
  // have to be cleared, so it is done where it is needed.
  if (keeps_columns) ::mallopt(M_MMAP_THRESHOLD, kMappedBytesMin);
  // What gRPC receives is allocated by one thread and freed by another. Eight arenas for each
  // processor, glibc's choice, hold half as much again of it as one does.
  ::mallopt(M_ARENA_MAX, std::max(kArenasMin, WorkerPool::ProcessorCount()));
}

MemoryBudget& ArrowMemoryBudget() {
  // Never destroyed: memory is given back by whatever ends last.
  static auto* const budget = new MemoryBudget(MemoryBudget::kUnlimited);
  return *budget;
}

}  // namespace hangar

// Takes the place of libarrow's own function of this name, in the whole process: the dynamic linker
// looks into the program before the libraries. Not all that Arrow allocates comes from a pool that
// it was given; above all, Flight decompresses what clients upload into Arrow's default pool, and
// the size that it allocates is what the client declares. Replaced here, there is no way around the
// budget. That it still works is seen in tests/load/test_memory.py and app/allocator_test.cc.
//
// The backend is what ARROW_DEFAULT_MEMORY_POOL names, as ever; its first use decides.
arrow::MemoryPool* arrow::default_memory_pool() {
  static auto* const pool = new hangar::BudgetedPool(arrow::MemoryPool::CreateDefault().release(),
                                                     &hangar::ArrowMemoryBudget());
  return pool;
}
