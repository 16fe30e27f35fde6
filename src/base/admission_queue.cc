#include "base/admission_queue.h"

#include <algorithm>
#include <cassert>

#include "base/error.h"

namespace hangar {
namespace {

// How often someone who waits is asked whether they still do.
constexpr std::chrono::milliseconds kCancelledPoll{100};

}  // namespace

AdmissionQueue::~AdmissionQueue() { assert(waiters_.empty() && reserved_bytes_ == 0); }

arrow::Result<AdmissionQueue::Reservation> AdmissionQueue::Admit(
    int64_t bytes, const std::function<bool()>& is_cancelled) {
  bytes = std::min(bytes, options_.capacity_bytes);
  Waiter waiter{.bytes = bytes, .admitted = false, .changed = {}};
  {
    MutexLock lock(mutex_);
    if (waiters_.empty() && Fits(bytes)) {
      reserved_bytes_ += bytes;
      return Reservation(this, bytes);
    }
    if (waiters_.size() >= options_.waiting_max) return WaitedInVain();
    waiters_.push_back(&waiter);
  }
  ARROW_RETURN_NOT_OK(Wait(waiter, is_cancelled));
  return Reservation(this, bytes);
}

// Without the lock while the caller is asked, as that can take its time.
arrow::Status AdmissionQueue::Wait(Waiter& waiter, const std::function<bool()>& is_cancelled) {
  const auto deadline = std::chrono::steady_clock::now() + options_.timeout;
  while (true) {
    const bool cancelled = is_cancelled && is_cancelled();
    MutexLock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (!waiter.admitted && !cancelled && now < deadline) {
      waiter.changed.WaitUntil(mutex_, std::min(deadline, now + kCancelledPoll));
    }
    if (waiter.admitted) return arrow::Status::OK();
    if (!cancelled && now < deadline) continue;
    std::erase(waiters_, &waiter);
    AdmitThoseThatFit();  // It may have been in the way of smaller ones.
    if (!cancelled) return WaitedInVain();
    return MakeError(ErrorKind::kCancelled, "the caller cancelled the call or went away");
  }
}

arrow::Status AdmissionQueue::WaitedInVain() const {
  const auto seconds = std::max<int64_t>(
      1, std::chrono::duration_cast<std::chrono::seconds>(options_.timeout).count());
  return Error(ErrorKind::kUnavailable,
               "the server's memory is taken by other reads and uploads; try again in {} s",
               seconds);
}

bool AdmissionQueue::Fits(int64_t bytes) const {
  return reserved_bytes_ <= options_.capacity_bytes - bytes;
}

void AdmissionQueue::AdmitThoseThatFit() {
  while (!waiters_.empty() && Fits(waiters_.front()->bytes)) {
    Waiter* const waiter = waiters_.front();
    waiters_.pop_front();
    reserved_bytes_ += waiter->bytes;
    waiter->admitted = true;
    waiter->changed.NotifyOne();  // Under the lock: the waiter is its thread's and may go after it.
  }
}

void AdmissionQueue::Release(int64_t bytes) {
  MutexLock lock(mutex_);
  reserved_bytes_ -= bytes;
  AdmitThoseThatFit();
}

int64_t AdmissionQueue::reserved_bytes() {
  MutexLock lock(mutex_);
  return reserved_bytes_;
}

size_t AdmissionQueue::waiting() {
  MutexLock lock(mutex_);
  return waiters_.size();
}

}  // namespace hangar
