// What finding datasets costs, over a folder of files in the page cache.

#include <filesystem>
#include <format>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "store/local_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

constexpr int kDatasets = 2000;
constexpr int64_t kCacheBytes = 64 << 20;

// A folder of small datasets of one schema, gone with the program.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / "hangar_catalog_benchmark") {
    std::filesystem::remove_all(path_);
    store_ = LocalStore::Make(path_.string()).ValueOrDie();
    StoreNumbered(*store_, "first.parquet", 1000);
    for (int i = 1; i < kDatasets; ++i) {
      std::filesystem::copy_file(path_ / "first.parquet", path_ / std::format("{:05}.parquet", i));
    }
  }
  ~Folder() { std::filesystem::remove_all(path_); }

  Catalog NewCatalog() const {
    return Catalog(store_, std::make_shared<RecordingLogger>(), kCacheBytes);
  }

 private:
  const std::filesystem::path path_;
  std::shared_ptr<ObjectStore> store_;
};

const Folder& TheFolder() {
  static const Folder folder;
  return folder;
}

int64_t ListAll(Catalog& catalog, WorkerPool* workers) {
  int64_t datasets = 0;
  const auto lister = catalog.List({}, workers).ValueOrDie();
  while (lister->Next().ValueOrDie()) ++datasets;
  return datasets;
}

// Time and items are of datasets.
void ListFirst(benchmark::State& state) {
  const Folder& folder = TheFolder();
  WorkerPool workers(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    Catalog catalog = folder.NewCatalog();
    state.SetItemsProcessed(state.items_processed() + ListAll(catalog, &workers));
  }
}
BENCHMARK(ListFirst)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

void ListAgain(benchmark::State& state) {
  Catalog catalog = TheFolder().NewCatalog();
  ListAll(catalog, nullptr);
  for (auto _ : state) {
    state.SetItemsProcessed(state.items_processed() + ListAll(catalog, nullptr));
  }
}
BENCHMARK(ListAgain);

void Describe(benchmark::State& state) {
  Catalog catalog = TheFolder().NewCatalog();
  const auto name = DatasetName::Parse("first.parquet").ValueOrDie();
  for (auto _ : state) benchmark::DoNotOptimize(catalog.Describe(name, std::nullopt).ValueOrDie());
}
BENCHMARK(Describe);

void Open(benchmark::State& state) {
  Catalog catalog = TheFolder().NewCatalog();
  const auto name = DatasetName::Parse("first.parquet").ValueOrDie();
  for (auto _ : state) benchmark::DoNotOptimize(catalog.Open(name, std::nullopt).ValueOrDie());
}
BENCHMARK(Open);

}  // namespace
}  // namespace hangar
