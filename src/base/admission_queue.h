#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

#include <arrow/result.h>

#include "base/mutex.h"

namespace hangar {

/// Lets work in as long as what it expects to need fits into a capacity, and has the rest wait
/// in the order in which it came: nobody overtakes, so that large work is not kept waiting by
/// small. Both the wait and the number of those who wait are bounded. Work that expects more than
/// the whole capacity runs alone. Thread-safe. What is handed out must not outlive the queue.
///
///   ARROW_ASSIGN_OR_RAISE(auto reservation, queue.Admit(bytes, is_cancelled));
///   ... the work; it ends when the reservation goes ...
class AdmissionQueue {
 public:
  struct Options {
    int64_t capacity_bytes = 0;
    std::chrono::milliseconds timeout{30'000};  ///< Of one wait.
    size_t waiting_max = 1024;
  };

  /// Bytes of the capacity, given back when this goes. Empty as made.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept
        : queue_(std::exchange(other.queue_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(queue_, other.queue_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Reservation() {
      if (queue_ != nullptr) queue_->Release(bytes_);
    }

   private:
    friend class AdmissionQueue;
    Reservation(AdmissionQueue* queue, int64_t bytes) : queue_(queue), bytes_(bytes) {}

    AdmissionQueue* queue_ = nullptr;
    int64_t bytes_ = 0;
  };

  explicit AdmissionQueue(const Options& options) : options_(options) {}
  ~AdmissionQueue();
  AdmissionQueue(const AdmissionQueue&) = delete;
  AdmissionQueue& operator=(const AdmissionQueue&) = delete;

  /// Blocks until the bytes, 0 or more, fit and it is its turn. UNAVAILABLE, with when to try
  /// again, after the timeout or when too many wait already; CANCELLED once `is_cancelled` (may be
  /// empty), which is asked now and then while waiting, says so.
  arrow::Result<Reservation> Admit(int64_t bytes, const std::function<bool()>& is_cancelled)
      HANGAR_EXCLUDES(mutex_);

  int64_t reserved_bytes() HANGAR_EXCLUDES(mutex_);
  size_t waiting() HANGAR_EXCLUDES(mutex_);

 private:
  struct Waiter {
    int64_t bytes = 0;
    bool admitted = false;
    CondVar changed;
  };

  bool Fits(int64_t bytes) const HANGAR_REQUIRES(mutex_);
  void AdmitThoseThatFit() HANGAR_REQUIRES(mutex_);
  arrow::Status Wait(Waiter& waiter, const std::function<bool()>& is_cancelled)
      HANGAR_EXCLUDES(mutex_);
  arrow::Status WaitedInVain() const;
  void Release(int64_t bytes) HANGAR_EXCLUDES(mutex_);

  const Options options_;

  Mutex mutex_;
  int64_t reserved_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  std::list<Waiter*> waiters_ HANGAR_GUARDED_BY(mutex_);  // The first came first.
};

}  // namespace hangar
