#include <memory>

#include <benchmark/benchmark.h>

#include "cache/byte_cache.h"

namespace hangar {
namespace {

constexpr int kKeys = 10'000;
constexpr int kValueBytes = 1'000;

// Threads that read what is there, as hot reads do. Per thread it should cost the same however many
// there are, up to the number of processors.
void Hits(benchmark::State& state) {
  static ByteCache<int, int>* cache = nullptr;
  if (state.thread_index() == 0) {
    cache = new ByteCache<int, int>(2LL * kKeys * kValueBytes);
    const auto value = std::make_shared<const int>(1);
    for (int key = 0; key < kKeys; ++key) cache->Insert(key, value, kValueBytes);
  }
  int key = state.thread_index() * 977;
  for (auto _ : state) {
    key = (key + 1) % kKeys;
    benchmark::DoNotOptimize(cache->Find(key));
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) delete cache;
}
BENCHMARK(Hits)->ThreadRange(1, 16)->UseRealTime();

// A scan over five times what fits: each key is missed, inserted, and throws out another.
void MissesThatInsert(benchmark::State& state) {
  static ByteCache<int, int>* cache = nullptr;
  if (state.thread_index() == 0) cache = new ByteCache<int, int>(kKeys * kValueBytes / 5);
  const auto value = std::make_shared<const int>(1);
  int key = state.thread_index() * 977;
  for (auto _ : state) {
    key = (key + 1) % kKeys;
    if (cache->Find(key) == nullptr) cache->Insert(key, value, kValueBytes);
  }
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) delete cache;
}
BENCHMARK(MissesThatInsert)->ThreadRange(1, 16)->UseRealTime();

}  // namespace
}  // namespace hangar
