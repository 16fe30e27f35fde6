#include "service/work_memory.h"

#include <algorithm>
#include <utility>

#include "base/memory_budget.h"

namespace hangar {
namespace {

// Of the budget: what reads may decode ahead, together. An eighth is left free beside it, as what
// reads and uploads expect is a guess.
constexpr int64_t kReadAheadPart = 8;
constexpr int64_t kFreePart = 8;
// Likewise of what is fetched ahead, where reads fetch. A row group of ours fits into one read's.
constexpr int64_t kFetchAheadPart = 8;
constexpr int64_t kFetchAheadBytesMax = 512LL << 20;
// Of what is let in: one upload, so that a few large ones do not shut everybody out.
constexpr int64_t kUploadPart = 8;

// What a large upload takes where there is enough: 32 MiB that wait to be encoded, and a row group
// of 128 MiB (before it was encoded) with its pages and dictionaries and a quarter of the next one.
constexpr int64_t kUploadBytesMax = 320LL << 20;
constexpr int64_t kWaitingPart = 10;
constexpr double kRowGroupPart = 0.4;

// An upload of no more than this is small; it then takes a few times as much.
constexpr int64_t kSmallUploadBytes = 1LL << 20;
constexpr int64_t kSmallUploadRoom = 4LL << 20;

ReadAheadBudget::Options ReadAheadOf(int64_t capacity_bytes) {
  ReadAheadBudget::Options read_ahead;
  read_ahead.all_bytes = std::min(read_ahead.all_bytes, capacity_bytes / kReadAheadPart);
  read_ahead.read_bytes = std::min(read_ahead.read_bytes, read_ahead.all_bytes / 4);
  return read_ahead;
}

ReadAheadBudget::Options FetchAheadOf(int64_t capacity_bytes, bool fetches) {
  if (!fetches) return {.all_bytes = 0, .read_bytes = 0};
  const int64_t all_bytes = std::min(kFetchAheadBytesMax, capacity_bytes / kFetchAheadPart);
  return {.all_bytes = all_bytes, .read_bytes = all_bytes / 4};
}

int64_t StagingBytes(const StagingMemory& staging, int64_t upload_bytes) {
  return std::clamp(upload_bytes, staging.least_bytes, staging.most_bytes);
}

int64_t CapacityOf(const MemoryBudget* budget) {
  return budget == nullptr ? MemoryBudget::kUnlimited : budget->capacity_bytes();
}

}  // namespace

WorkMemory::WorkMemory(MemoryBudget* budget, const StagingMemory& staging,
                       std::chrono::milliseconds queue_timeout, const DurationHistogram& waits,
                       bool fetches)
    : WorkMemory(budget, CapacityOf(budget), staging, queue_timeout, waits, fetches) {}

WorkMemory::WorkMemory(MemoryBudget* budget, int64_t capacity_bytes, const StagingMemory& staging,
                       std::chrono::milliseconds queue_timeout, const DurationHistogram& waits,
                       bool fetches)
    : budget_(budget),
      read_ahead_(ReadAheadOf(capacity_bytes)),
      fetch_ahead_(FetchAheadOf(capacity_bytes, fetches)),
      admitted_bytes_(capacity_bytes - capacity_bytes / kFreePart - read_ahead_.all_bytes -
                      fetch_ahead_.all_bytes),
      upload_bytes_(std::min(kUploadBytesMax, admitted_bytes_ / kUploadPart)),
      waiting_bytes_(upload_bytes_ / kWaitingPart),
      row_group_bytes_(static_cast<int64_t>(static_cast<double>(upload_bytes_) * kRowGroupPart)),
      staging_bytes_(StagingBytes(staging, upload_bytes_)),
      waits_(waits),
      queue_({.capacity_bytes = admitted_bytes_, .timeout = queue_timeout}) {}

arrow::Result<AdmissionQueue::Reservation> WorkMemory::Admit(int64_t bytes,
                                                             const IsCancelled& is_cancelled) {
  const ScopedDuration duration(waits_);
  return queue_.Admit(bytes, is_cancelled);
}

arrow::Result<AdmissionQueue::Reservation> WorkMemory::AdmitRead(int64_t expected_bytes,
                                                                 const IsCancelled& is_cancelled) {
  // A client may copy: read and upload at the same time. So the largest read leaves some room.
  return Admit(std::min(expected_bytes, admitted_bytes_ / 2), is_cancelled);
}

arrow::Result<WorkMemory::UploadRoom> WorkMemory::AdmitUpload(const IsCancelled& is_cancelled) {
  ARROW_ASSIGN_OR_RAISE(auto held, Admit(std::min(kSmallUploadRoom, upload_bytes_), is_cancelled));
  return UploadRoom(this, std::move(held));
}

arrow::Status WorkMemory::UploadRoom::Received(int64_t bytes, const IsCancelled& is_cancelled) {
  received_bytes_ += bytes;
  if (is_large_ || received_bytes_ <= kSmallUploadBytes) return arrow::Status::OK();
  held_ = {};
  ARROW_ASSIGN_OR_RAISE(
      held_, memory_->Admit(memory_->upload_bytes_ + memory_->staging_bytes_, is_cancelled));
  is_large_ = true;
  return arrow::Status::OK();
}

}  // namespace hangar
