#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "base/mutex.h"

namespace hangar {

/// An amount of memory that all parts of a process draw on, in bytes. It counts; it allocates
/// nothing. Who takes and does not get may have others give way first: the reclaimer, for example a
/// cache that lets go of what it keeps. Thread-safe; taking and giving are one atomic operation as
/// long as there is room.
///
///   if (!budget.TryTake(bytes)) return arrow::Status::OutOfMemory(...);
///   ...
///   budget.Give(bytes);
class MemoryBudget {
 public:
  static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();

  /// Frees about so many bytes, which come back through Give before it returns, and says how many
  /// it let go of: 0 when there is nothing left. Called by any thread that takes, also by several
  /// at once, so it must not take from this budget.
  using Reclaimer = std::function<int64_t(int64_t bytes)>;

  explicit MemoryBudget(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// Takes `bytes`, 0 or more, if they fit, if need be after the reclaimer made room. False:
  /// nothing was taken.
  bool TryTake(int64_t bytes) {
    if (TakeIfItFits(bytes)) return true;
    return TakeAfterReclaiming(bytes);
  }

  /// Gives back what was taken. Never blocks.
  void Give(int64_t bytes) { taken_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

  /// What is taken already stays taken, even where it is more than the new capacity.
  void SetCapacity(int64_t capacity_bytes) { capacity_bytes_ = capacity_bytes; }

  /// nullptr takes the reclaimer away: once this returns it is not running and never will be.
  void SetReclaimer(Reclaimer reclaimer) HANGAR_EXCLUDES(reclaimer_mutex_);

  int64_t capacity_bytes() const { return capacity_bytes_.load(std::memory_order_relaxed); }
  int64_t taken_bytes() const { return taken_bytes_.load(std::memory_order_relaxed); }

 private:
  // Never takes too much for a moment: that would turn others away who fit.
  bool TakeIfItFits(int64_t bytes) {
    const int64_t before_max = capacity_bytes_.load(std::memory_order_relaxed) - bytes;
    int64_t before = taken_bytes_.load(std::memory_order_relaxed);
    while (before <= before_max) {
      if (taken_bytes_.compare_exchange_weak(before, before + bytes, std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  bool TakeAfterReclaiming(int64_t bytes) HANGAR_EXCLUDES(reclaimer_mutex_);
  int64_t Reclaim(int64_t bytes) HANGAR_EXCLUDES(reclaimer_mutex_);

  std::atomic<int64_t> capacity_bytes_;
  std::atomic<int64_t> taken_bytes_ = 0;

  Mutex reclaimer_mutex_;
  CondVar reclaimer_idle_;
  Reclaimer reclaimer_ HANGAR_GUARDED_BY(reclaimer_mutex_);
  int reclaiming_ HANGAR_GUARDED_BY(reclaimer_mutex_) = 0;  // Threads that are in the reclaimer.
};

/// Some bytes of a budget, given back when this goes.
class BudgetShare {
 public:
  BudgetShare() = default;
  BudgetShare(BudgetShare&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  BudgetShare& operator=(BudgetShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~BudgetShare() {
    if (budget_ != nullptr) budget_->Give(bytes_);
  }

  /// False when the bytes do not fit. A share that is empty (`*this` as made) takes them for good.
  bool TryTake(MemoryBudget* budget, int64_t bytes) {
    if (!budget->TryTake(bytes)) return false;
    *this = BudgetShare(budget, bytes);
    return true;
  }

 private:
  BudgetShare(MemoryBudget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}

  MemoryBudget* budget_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace hangar
