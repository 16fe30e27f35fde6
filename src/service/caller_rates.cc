#include "service/caller_rates.h"

#include <algorithm>
#include <thread>

#include "service/call_limits.h"

namespace hangar {
namespace {

// A second's worth may be taken at once.
constexpr std::chrono::seconds kAhead{1};
// So often somebody who waits looks whether they still should.
constexpr std::chrono::milliseconds kLook{100};

std::string KeyOf(const Caller& caller, CallerRates::Direction direction) {
  const std::string address = caller.peer.substr(0, caller.peer.rfind(':'));
  return (direction == CallerRates::Direction::kIn ? "in " : "out ") +
         CallerKey(caller.identity.get(), address);
}

}  // namespace

CallerRates::Time CallerRates::Count(const std::string& key, int64_t bytes) {
  const std::chrono::duration<double> price(static_cast<double>(bytes) /
                                            static_cast<double>(bytes_per_second_));
  const Time now = std::chrono::steady_clock::now();
  const MutexLock lock(mutex_);
  if (paid_at_.size() >= forget_at_) ForgetThePaid(now);
  Time& paid_at = paid_at_[key];
  paid_at = std::max(paid_at, now - kAhead) +
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(price);
  return paid_at;
}

void CallerRates::ForgetThePaid(Time now) {
  std::erase_if(paid_at_, [&](const auto& entry) { return entry.second <= now - kAhead; });
  forget_at_ = std::max<size_t>(2 * paid_at_.size(), 1024);
}

arrow::Status CallerRates::Pace(const Caller& caller, Direction direction, int64_t bytes) {
  if (!is_limited() || bytes <= 0) return arrow::Status::OK();
  const Time turn = Count(KeyOf(caller, direction), bytes);
  for (;;) {
    const Time now = std::chrono::steady_clock::now();
    if (now >= turn) return arrow::Status::OK();
    if (caller.IsGone()) return CallerIsGone();
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(turn - now, kLook));
  }
}

}  // namespace hangar
