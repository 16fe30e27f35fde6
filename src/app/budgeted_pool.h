#pragma once

#include <cstdint>
#include <string>

#include <arrow/memory_pool.h>

#include "base/memory_budget.h"

namespace hangar {

/// A memory pool whose memory counts against a budget: what does not fit is OutOfMemory, also while
/// a larger block is made for what a smaller one holds. Thread-safe.
class BudgetedPool final : public arrow::MemoryPool {
 public:
  /// Both must outlive the pool. `backend` is used by nobody else.
  BudgetedPool(arrow::MemoryPool* backend, MemoryBudget* budget)
      : backend_(backend), budget_(budget) {}

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** buffer) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  void ReleaseUnused() override { backend_->ReleaseUnused(); }
  void PrintStats() override { backend_->PrintStats(); }

  int64_t bytes_allocated() const override { return backend_->bytes_allocated(); }
  int64_t max_memory() const override { return backend_->max_memory(); }
  int64_t total_bytes_allocated() const override { return backend_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return backend_->num_allocations(); }
  /// "budgeted " and the backend's own.
  std::string backend_name() const override { return "budgeted " + backend_->backend_name(); }

 private:
  arrow::Status Take(int64_t bytes);

  arrow::MemoryPool* const backend_;
  MemoryBudget* const budget_;
};

}  // namespace hangar
