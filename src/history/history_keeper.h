#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include <arrow/result.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "history/retention.h"
#include "store/object_store.h"

namespace hangar {

/// How much is retained.
struct HistoryTotals {
  int64_t versions = 0;
  int64_t bytes = 0;
};

/// What a sweep removed, and what it left.
struct HistorySweepResult {
  HistoryTotals purged;
  HistoryTotals kept;
};

/// Purges what is retired and not to be kept: once at its start, then whenever something has
/// expired, and hourly at the least. Several servers may do so on one store. Thread-safe.
class HistoryKeeper {
 public:
  /// `forget`, if any, is told each version that is gone for good. It is called on any thread.
  HistoryKeeper(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                const RetentionPolicy& policy,
                std::function<void(const std::string& version)> forget = nullptr);
  /// Stops the thread, if it was started.
  ~HistoryKeeper();

  /// Sweeps once, on the caller's thread.
  arrow::Result<HistorySweepResult> Sweep();

  /// For a full disk: removes all that no ticket names.
  arrow::Result<HistorySweepResult> MakeRoom();

  /// Sweeps from now on, on a thread of its own; at once where nobody has swept before.
  void Start() HANGAR_EXCLUDES(mutex_);

  /// Something was retired: it has to be looked at when tickets for it have expired.
  void NoteRetired() HANGAR_EXCLUDES(mutex_);

  /// How long a ticket that is given out now can be redeemed, whatever happens to its version.
  Timestamp TicketExpiry() const { return Now() + policy_.ticket_ttl; }

  const RetentionPolicy& policy() const { return policy_; }

 private:
  arrow::Result<HistorySweepResult> SweepBy(const RetentionPolicy& policy);
  void Run() HANGAR_EXCLUDES(mutex_);
  void WakeAt(Timestamp time) HANGAR_EXCLUDES(mutex_);

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Logger> logger_;
  const RetentionPolicy policy_;
  const std::function<void(const std::string& version)> forget_;
  const CautiousClock clock_;
  Mutex mutex_;
  CondVar changed_;
  Timestamp wake_ HANGAR_GUARDED_BY(mutex_) = Timestamp::max();
  bool has_swept_ HANGAR_GUARDED_BY(mutex_) = false;
  std::stop_source stop_;
  std::thread thread_;
};

/// Counts what is retired now, of all names. CANCELLED once it is asked to stop.
arrow::Result<HistoryTotals> CountRetired(ObjectStore& store, const std::stop_token& stop = {});

}  // namespace hangar
