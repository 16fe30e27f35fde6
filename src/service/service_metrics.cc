#include "service/service_metrics.h"

#include <algorithm>
#include <functional>
#include <string>

#include "base/memory_budget.h"
#include "cache/byte_cache.h"
#include "catalog/catalog.h"
#include "read/segment_cache.h"
#include "service/dataset_service.h"
#include "service/work_memory.h"
#include "store/disk_cache.h"

namespace hangar {
namespace {

struct ShownCache {
  std::string name;
  int64_t capacity_bytes = 0;
  std::function<int64_t()> bytes;
  std::function<CacheStats()> stats;
};

void ShowCache(Metrics* metrics, const ShownCache& cache) {
  const MetricLabels labels = {{"cache", cache.name}};
  const auto ask = [&](const char* name, const char* help, int64_t CacheStats::* field) {
    metrics->AskCounter(name, help, labels, [stats = cache.stats, field] {
      return static_cast<double>(stats().*field);
    });
  };
  ask("hangar_cache_hits_total", "What was looked for and found.", &CacheStats::hits);
  ask("hangar_cache_misses_total", "What was looked for and not found.", &CacheStats::misses);
  ask("hangar_cache_evictions_total", "What left to make room.", &CacheStats::evictions);
  metrics->AskGauge("hangar_cache_bytes", "What is kept.", labels,
                    [bytes = cache.bytes] { return static_cast<double>(bytes()); });
  metrics->AskGauge("hangar_cache_capacity_bytes", "What may be kept at most.", labels,
                    [bytes = cache.capacity_bytes] { return static_cast<double>(bytes); });
}

void ShowDiskCache(Metrics* metrics, const std::shared_ptr<DiskCache>& disk) {
  ShowCache(metrics, {.name = "disk",
                      .capacity_bytes = disk->capacity_bytes(),
                      .bytes = [disk] { return disk->bytes(); },
                      .stats =
                          [disk] {
                            const DiskCache::Stats stats = disk->stats();
                            return CacheStats{.hits = stats.hits,
                                              .misses = stats.misses,
                                              .evictions = stats.evictions};
                          }});
  metrics->AskCounter(
      "hangar_cache_errors_total", "What was damaged in the cache, and calls that its disk failed.",
      {{"cache", "disk"}}, [disk] { return static_cast<double>(disk->stats().errors); });
}

}  // namespace

DurationHistogram MemoryWaits(Metrics* metrics) {
  if (metrics == nullptr) return {};
  return metrics->Durations("hangar_memory_wait_seconds",
                            "How long reads and uploads waited until there was memory for them.",
                            {0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60});
}

void DatasetService::ShowMetrics(Metrics* metrics) {
  ShowCache(metrics, {.name = "columns",
                      .capacity_bytes = decoded_->capacity_bytes(),
                      .bytes = [this] { return decoded_->charged_bytes(); },
                      .stats = [this] { return decoded_->stats(); }});
  ShowCache(metrics, {.name = "footers",
                      .capacity_bytes = catalog_->footer_capacity_bytes(),
                      .bytes = [this] { return catalog_->footer_bytes(); },
                      .stats = [this] { return catalog_->footer_stats(); }});
  if (options_.disk_cache != nullptr) ShowDiskCache(metrics, options_.disk_cache);
  metrics->AskGauge("hangar_memory_waiting", "Reads and uploads that wait for memory.", {},
                    [this] { return static_cast<double>(memory_->waiting()); });
  metrics->AskGauge("hangar_memory_reserved_bytes",
                    "Memory that the reads and uploads under way expect to need.", {},
                    [this] { return static_cast<double>(memory_->reserved_bytes()); });
  const auto ask_user = [&](const char* user, Metrics::Question bytes) {
    metrics->AskGauge("hangar_memory_bytes", "Memory that is taken, by what for.", {{"user", user}},
                      std::move(bytes));
  };
  ask_user("cache", [this] { return static_cast<double>(decoded_->charged_bytes()); });
  ask_user("footers", [this] { return static_cast<double>(catalog_->footer_bytes()); });
  const MemoryBudget* const budget = options_.memory;
  if (budget == nullptr) return;
  // What is cached counts against the budget, too; the two are not looked at in one moment.
  ask_user("work", [this, budget] {
    return static_cast<double>(
        std::max<int64_t>(budget->taken_bytes() - decoded_->charged_bytes(), 0));
  });
  metrics->AskGauge("hangar_memory_capacity_bytes",
                    "What cache and work may take together; beyond it they are refused.", {},
                    [budget] { return static_cast<double>(budget->capacity_bytes()); });
}

}  // namespace hangar
