#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/admission_queue.h"
#include "metrics/metrics.h"
#include "read/read_ahead_budget.h"
#include "store/object_store.h"

namespace hangar {

class MemoryBudget;

/// How reads and uploads share the memory budget: how large they may become, and who has to wait.
/// Each says what it expects to take and is let in when that fits beside the others, in the order
/// in which they came. The budget itself is behind this, for those who expected too little. What is
/// cached is not counted here, as it gives way. Thread-safe.
class WorkMemory {
 public:
  using IsCancelled = std::function<bool()>;  ///< Empty: never.

  /// `budget` may be null: then everybody is let in. It must outlive this. `staging` is what the
  /// store of the uploads says. `waits` notes how long each read and upload waited. `fetches`: what
  /// is read is fetched from afar.
  WorkMemory(MemoryBudget* budget, const StagingMemory& staging,
             std::chrono::milliseconds queue_timeout, const DurationHistogram& waits = {},
             bool fetches = false);

  /// Waits until a read that expects to take so many bytes beside its read-ahead may start. Fails
  /// as AdmissionQueue::Admit says.
  arrow::Result<AdmissionQueue::Reservation> AdmitRead(int64_t expected_bytes,
                                                       const IsCancelled& is_cancelled);

  /// What an upload holds of the budget's room: little until it turns out to be large.
  class UploadRoom {
   public:
    /// Waits until the upload may go on, having received so many bytes more. Meanwhile it holds
    /// nothing: small ones that all waited for more would wait for each other.
    arrow::Status Received(int64_t bytes, const IsCancelled& is_cancelled);

    /// Whether it knows all that it wants to: Received changes nothing more.
    bool is_large() const { return is_large_; }

   private:
    friend class WorkMemory;
    UploadRoom(WorkMemory* memory, AdmissionQueue::Reservation held)
        : memory_(memory), held_(std::move(held)) {}

    WorkMemory* memory_;
    AdmissionQueue::Reservation held_;
    int64_t received_bytes_ = 0;
    bool is_large_ = false;
  };

  arrow::Result<UploadRoom> AdmitUpload(const IsCancelled& is_cancelled);

  int64_t reserved_bytes() { return queue_.reserved_bytes(); }
  size_t waiting() { return queue_.waiting(); }
  MemoryBudget* budget() const { return budget_; }
  const ReadAheadBudget::Options& read_ahead() const { return read_ahead_; }
  /// What is fetched and not decoded yet; nothing where reads do not fetch.
  const ReadAheadBudget::Options& fetch_ahead() const { return fetch_ahead_; }
  /// Of one upload, see WriteSettings.
  int64_t waiting_bytes() const { return waiting_bytes_; }
  int64_t row_group_bytes() const { return row_group_bytes_; }
  /// Of one upload, see StageOptions.
  int64_t staging_bytes() const { return staging_bytes_; }

 private:
  WorkMemory(MemoryBudget* budget, int64_t capacity_bytes, const StagingMemory& staging,
             std::chrono::milliseconds queue_timeout, const DurationHistogram& waits, bool fetches);

  arrow::Result<AdmissionQueue::Reservation> Admit(int64_t bytes, const IsCancelled& is_cancelled);

  MemoryBudget* const budget_;
  const ReadAheadBudget::Options read_ahead_;
  const ReadAheadBudget::Options fetch_ahead_;
  const int64_t admitted_bytes_;  // Of all reads and uploads, beside the read-ahead.
  const int64_t upload_bytes_;    // Of a large upload, beside what the store holds of it.
  const int64_t waiting_bytes_;
  const int64_t row_group_bytes_;
  const int64_t staging_bytes_;
  const DurationHistogram waits_;
  AdmissionQueue queue_;
};

}  // namespace hangar
