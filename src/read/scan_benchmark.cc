#include <memory>
#include <optional>
#include <string>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <benchmark/benchmark.h>

#include "read/batch_slicer.h"
#include "read/scan_plan.h"
#include "read/scan_stream.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

constexpr int64_t kRows = 1 << 20;

OpenSnapshot OpenNumbered(const std::shared_ptr<ObjectStore>& store, const std::string& name) {
  Catalog catalog(store, std::make_shared<RecordingLogger>(), /*footer_cache_bytes=*/64 << 20);
  return catalog.Open(DatasetName::Parse(name).ValueOrDie(), std::nullopt).ValueOrDie();
}

// A batch of as many rows as a segment, cut into slices of 1 MiB at most.
void Slicing(benchmark::State& state) {
  const auto batch = NumberedBatch(0, 1 << 16);
  const int64_t bytes = arrow::util::TotalBufferSize(*batch);
  int64_t slices = 0;
  for (auto _ : state) {
    BatchSlicer slicer(batch, bytes);
    while (auto slice = slicer.Next(state.range(0))) {
      benchmark::DoNotOptimize(slice);
      ++slices;
    }
  }
  state.SetItemsProcessed(slices);
}
BENCHMARK(Slicing)->Arg(64 << 10)->Arg(1 << 20);

// A plan of the middle half of a file of as many row groups as the argument says.
void Planning(benchmark::State& state) {
  const std::shared_ptr<ObjectStore> store = MakeMemoryStore();
  StoreNumbered(*store, "a", state.range(0) * 10, {.row_group_rows = 10});
  const OpenSnapshot open = OpenNumbered(store, "a");
  const ScanRequest request{.columns = {{"half", "id"}},
                            .offset_rows = state.range(0) * 10 / 4,
                            .limit_rows = state.range(0) * 10 / 2};
  for (auto _ : state) {
    auto plan = PlanScan(*open.snapshot.footer, request);
    benchmark::DoNotOptimize(Partition(*open.snapshot.footer, *plan, /*partitions_max=*/4));
  }
}
BENCHMARK(Planning)->Arg(1)->Arg(10)->Arg(1'000);

// A whole read of a million rows without a client: everything in the cache (hot), or decoded
// (cold), by as many threads at once as the benchmark has.
void Scan(benchmark::State& state, int64_t cache_bytes) {
  static std::shared_ptr<ObjectStore> store;
  static std::optional<OpenSnapshot> open;
  static std::unique_ptr<SegmentCache> cache;
  static ReadAheadBudget read_ahead({});
  static std::unique_ptr<WorkerPool> workers;
  if (state.thread_index() == 0) {
    store = MakeMemoryStore();
    StoreNumbered(*store, "a", kRows);
    open = OpenNumbered(store, "a");
    cache = std::make_unique<SegmentCache>(SegmentCache::Options{.capacity_bytes = cache_bytes});
    workers = std::make_unique<WorkerPool>(WorkerPool::ProcessorCount());
  }
  const auto logger = std::make_shared<RecordingLogger>();
  for (auto _ : state) {
    const auto stream = StartScan(
        *open, PlanScan(*open->snapshot.footer, {}).ValueOrDie(), {},
        {.decoded = cache.get(), .read_ahead = &read_ahead, .workers = workers.get()}, logger);
    std::shared_ptr<arrow::RecordBatch> batch;
    while (stream->ReadNext(&batch).ok() && batch != nullptr) benchmark::DoNotOptimize(batch);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  if (state.thread_index() == 0) {
    workers.reset();
    cache.reset();
  }
}
BENCHMARK_CAPTURE(Scan, hot, 1LL << 30)->ThreadRange(1, 16)->UseRealTime();
BENCHMARK_CAPTURE(Scan, cold, 0)->ThreadRange(1, 4)->UseRealTime();

}  // namespace
}  // namespace hangar
