#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace hangar {

/// How far reads may decode ahead: an amount that those under way share equally, so that many
/// readers together take no more memory than a few. Thread-safe, without locks.
class ReadAheadBudget {
 public:
  struct Options {
    int64_t all_bytes = 128LL << 20;  ///< Of all reads together.
    int64_t read_bytes = 16LL << 20;  ///< Of one read, at most.
  };

  explicit ReadAheadBudget(const Options& options) : options_(options) {}

  /// Of one read, when there are few.
  int64_t read_bytes() const { return options_.read_bytes; }

  /// A read's part, given back when it is destroyed. Must not outlive the budget.
  class Share {
   public:
    explicit Share(ReadAheadBudget* budget) : budget_(budget) { ++budget_->reads_; }
    ~Share() { --budget_->reads_; }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// As of now: it shrinks while others read too.
    int64_t bytes() const {
      const int64_t reads = std::max<int64_t>(budget_->reads_.load(std::memory_order_relaxed), 1);
      return std::min(budget_->options_.read_bytes, budget_->options_.all_bytes / reads);
    }

   private:
    ReadAheadBudget* const budget_;
  };

 private:
  const Options options_;
  std::atomic<int64_t> reads_ = 0;
};

}  // namespace hangar
