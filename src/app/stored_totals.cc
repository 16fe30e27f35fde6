#include "app/stored_totals.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.h"
#include "metrics/metrics.h"

namespace hangar {
namespace {

constexpr int kTimesItsDuration = 20;

}  // namespace

arrow::Result<StoredTotals> CountStored(ObjectStore& store,
                                        const std::optional<HistoryTotals>& history,
                                        const std::stop_token& stop) {
  StoredTotals totals;
  ARROW_ASSIGN_OR_RAISE(const auto lister, store.List({}));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto object, lister->Next());
    if (!object) break;
    if (stop.stop_requested()) return MakeError(ErrorKind::kCancelled, "the count was stopped");
    ++totals.files;
    totals.bytes += object->size_bytes;
  }
  if (history) {
    totals.history = *history;
  } else {
    ARROW_ASSIGN_OR_RAISE(totals.history, CountRetired(store, stop));
  }
  return totals;
}

StoredTotalsWatch::StoredTotalsWatch(std::shared_ptr<ObjectStore> store,
                                     std::shared_ptr<Logger> logger,
                                     const std::optional<StoredTotals>& first,
                                     std::chrono::milliseconds pause)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      pause_(pause),
      latest_(first),
      count_again_(Clock::now() + pause),
      wanted_(!first),
      thread_([this] { Run(); }) {}

StoredTotalsWatch::~StoredTotalsWatch() {
  {
    const MutexLock lock(mutex_);  // So that it is not missed by who is about to wait.
    stop_.request_stop();
  }
  changed_.NotifyAll();
  thread_.join();
}

std::optional<StoredTotals> StoredTotalsWatch::Latest() {
  const MutexLock lock(mutex_);
  if (!wanted_ && Clock::now() >= count_again_) {
    wanted_ = true;
    changed_.NotifyAll();
  }
  return latest_;
}

bool StoredTotalsWatch::WaitUntilWanted() {
  const MutexLock lock(mutex_);
  while (!wanted_ && !stop_.stop_requested()) changed_.Wait(mutex_);
  return !stop_.stop_requested();
}

void StoredTotalsWatch::Run() {
  while (WaitUntilWanted()) {
    const auto begin = Clock::now();
    const auto counted = CountStored(*store_, {}, stop_.get_token());
    const auto end = Clock::now();
    if (!counted.ok() && !stop_.stop_requested()) {
      logger_->Warning("what is stored could not be counted",
                       {{"reason", counted.status().ToStringWithoutContextLines()}});
    }
    const MutexLock lock(mutex_);
    if (counted.ok()) latest_ = *counted;
    count_again_ = end + std::max<Clock::duration>(pause_, kTimesItsDuration * (end - begin));
    wanted_ = false;
  }
}

void StoredTotalsWatch::ShowIn(Metrics* metrics) {
  const auto ask = [&](const char* name, const char* help, auto number) {
    metrics->AskGauge(name, help, {}, [this, number] {
      const auto latest = Latest();
      return latest ? static_cast<double>(number(*latest))
                    : std::numeric_limits<double>::quiet_NaN();
    });
  };
  ask("hangar_datasets", "Datasets, counted now and then.",
      [](const StoredTotals& totals) { return totals.files; });
  ask("hangar_dataset_bytes", "Bytes of the datasets' files, counted now and then.",
      [](const StoredTotals& totals) { return totals.bytes; });
  ask("hangar_history_versions", "Past versions that are kept, counted now and then.",
      [](const StoredTotals& totals) { return totals.history.versions; });
  ask("hangar_history_bytes", "Bytes of past versions that are kept, counted now and then.",
      [](const StoredTotals& totals) { return totals.history.bytes; });
}

}  // namespace hangar
