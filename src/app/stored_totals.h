#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include <arrow/result.h>

#include "base/log.h"
#include "base/mutex.h"
#include "history/history_keeper.h"
#include "store/object_store.h"

namespace hangar {

class Metrics;

/// How much is stored. Files that turn out not to be Parquet are counted, too: to know better would
/// take a look into each.
struct StoredTotals {
  int64_t files = 0;
  int64_t bytes = 0;
  HistoryTotals history;
};

/// Walks the whole store; its history only where it is not known what is in there. CANCELLED once
/// it is asked to stop: in a bucket a walk can take very long.
arrow::Result<StoredTotals> CountStored(ObjectStore& store,
                                        const std::optional<HistoryTotals>& history = {},
                                        const std::stop_token& stop = {});

/// Knows about how much is stored. To count takes a walk through all folders, so it is done on a
/// thread of its own, and only while somebody asks. Thread-safe.
class StoredTotalsWatch {
 public:
  /// `first` was counted just now; without it, it is counted at once. It is counted again `pause`
  /// after the last time at the earliest, and so that it takes a twentieth of the time at most.
  StoredTotalsWatch(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                    const std::optional<StoredTotals>& first, std::chrono::milliseconds pause);
  ~StoredTotalsWatch();

  /// What was counted last, nullopt as long as nothing was. Does not block; where that is long ago
  /// it has it counted anew.
  std::optional<StoredTotals> Latest() HANGAR_EXCLUDES(mutex_);

  /// As gauges, for as long as this lives and `metrics` are asked; NaN as long as nothing was
  /// counted.
  void ShowIn(Metrics* metrics);

 private:
  using Clock = std::chrono::steady_clock;

  void Run() HANGAR_EXCLUDES(mutex_);
  // False at the end.
  bool WaitUntilWanted() HANGAR_EXCLUDES(mutex_);

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Logger> logger_;
  const Clock::duration pause_;
  Mutex mutex_;
  CondVar changed_;
  std::optional<StoredTotals> latest_ HANGAR_GUARDED_BY(mutex_);
  Clock::time_point count_again_ HANGAR_GUARDED_BY(mutex_);
  bool wanted_ HANGAR_GUARDED_BY(mutex_) = false;
  std::stop_source stop_;
  std::thread thread_;
};

}  // namespace hangar
