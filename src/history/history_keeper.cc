#include "history/history_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "base/error.h"

namespace hangar {
namespace {

constexpr std::chrono::hours kLongestPause{1};
// A history in which something expires all the time is swept every so often: each sweep walks it.
std::chrono::nanoseconds ShortestPause(const RetentionPolicy& policy) {
  return std::clamp<std::chrono::nanoseconds>(policy.ticket_ttl / 10, std::chrono::seconds(1),
                                              std::chrono::minutes(1));
}

arrow::Status Stopped() { return MakeError(ErrorKind::kCancelled, "the sweep was stopped"); }

}  // namespace

HistoryKeeper::HistoryKeeper(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                             const RetentionPolicy& policy,
                             std::function<void(const std::string& version)> forget)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      policy_(policy),
      forget_(std::move(forget)) {}

HistoryKeeper::~HistoryKeeper() {
  {
    const MutexLock lock(mutex_);  // So that it is not missed by who is about to wait.
    stop_.request_stop();
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

arrow::Result<HistorySweepResult> HistoryKeeper::Sweep() { return SweepBy(policy_); }

arrow::Result<HistorySweepResult> HistoryKeeper::MakeRoom() {
  RetentionPolicy tickets_only = policy_;
  tickets_only.bytes = 0;
  return SweepBy(tickets_only);
}

arrow::Result<HistorySweepResult> HistoryKeeper::SweepBy(const RetentionPolicy& policy) {
  const Timestamp now = clock_.Now();
  WakeAt(now + kLongestPause);
  {
    const MutexLock lock(mutex_);
    has_swept_ = true;
  }
  RetentionSweep sweep(policy, now);
  ARROW_ASSIGN_OR_RAISE(const auto keys, store_->ListRetiredKeys({}));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto key, keys->Next());
    if (!key) break;
    if (stop_.stop_requested()) return Stopped();
    ARROW_ASSIGN_OR_RAISE(auto retired, store_->ListRetired(*key));
    sweep.Add(std::move(retired));
  }
  HistorySweepResult result;
  for (const RetiredObject& expired : sweep.TakeExpired()) {
    if (stop_.stop_requested()) return Stopped();
    ARROW_RETURN_NOT_OK(store_->PurgeRetired(expired));
    if (expired.by != RetiredBy::kRenamed) {
      ++result.purged.versions;
      if (forget_) forget_(expired.object.version);
    }
    result.purged.bytes += RetainedBytesOf(expired);
  }
  result.kept = {.versions = sweep.kept_versions(), .bytes = sweep.kept_bytes()};
  if (sweep.next_expiry()) WakeAt(std::max(*sweep.next_expiry(), now + ShortestPause(policy)));
  return result;
}

void HistoryKeeper::Start() {
  {
    const MutexLock lock(mutex_);
    if (!has_swept_) wake_ = Timestamp{};
  }
  thread_ = std::thread([this] { Run(); });
}

void HistoryKeeper::NoteRetired() {
  WakeAt(clock_.Now() + policy_.ticket_ttl + ShortestPause(policy_));
}

void HistoryKeeper::WakeAt(Timestamp time) {
  {
    const MutexLock lock(mutex_);
    if (time >= wake_) return;
    wake_ = time;
  }
  changed_.NotifyAll();
}

void HistoryKeeper::Run() {
  for (;;) {
    {
      const MutexLock lock(mutex_);
      for (;;) {
        if (stop_.stop_requested()) return;
        const auto pause = std::min<std::chrono::nanoseconds>(wake_ - clock_.Now(), kLongestPause);
        if (pause <= std::chrono::nanoseconds(0)) break;
        changed_.WaitUntil(mutex_, std::chrono::steady_clock::now() + pause);
      }
      wake_ = Timestamp::max();
    }
    const auto swept = Sweep();
    if (stop_.stop_requested()) return;
    if (!swept.ok()) {
      logger_->Warning("the history could not be swept",
                       {{"reason", swept.status().ToStringWithoutContextLines()}});
    } else if (swept->purged.versions > 0) {
      logger_->Info("removed retired versions that are not kept any more",
                    {{"versions", std::to_string(swept->purged.versions)},
                     {"bytes", std::to_string(swept->purged.bytes)},
                     {"kept_versions", std::to_string(swept->kept.versions)},
                     {"kept_bytes", std::to_string(swept->kept.bytes)}});
    }
  }
}

arrow::Result<HistoryTotals> CountRetired(ObjectStore& store, const std::stop_token& stop) {
  HistoryTotals totals;
  ARROW_ASSIGN_OR_RAISE(const auto keys, store.ListRetiredKeys({}));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto key, keys->Next());
    if (!key) return totals;
    if (stop.stop_requested()) return Stopped();
    ARROW_ASSIGN_OR_RAISE(const auto retired, store.ListRetired(*key));
    for (const RetiredObject& entry : retired) {
      if (entry.by != RetiredBy::kRenamed) ++totals.versions;
      totals.bytes += RetainedBytesOf(entry);
    }
  }
}

}  // namespace hangar
