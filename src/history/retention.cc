#include "history/retention.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace hangar {
namespace {

// Far enough for any time that is added to another without leaving the range of both.
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);

Timestamp After(Timestamp time, std::chrono::nanoseconds duration) {
  return time + std::min(duration, kLongest);
}

}  // namespace

int64_t RetainedBytesOf(const RetiredObject& retired) {
  return retired.by == RetiredBy::kRenamed ? 0 : retired.object.size_bytes;
}

Timestamp RetentionSweep::TicketsEnd(const RetiredObject& retired) const {
  return std::max(After(retired.retired, policy_.ticket_ttl), retired.held_until);
}

bool RetentionSweep::IsKept(const RetiredObject& retired, int64_t rank) const {
  return retired.by != RetiredBy::kRenamed && rank < policy_.versions &&
         After(retired.retired, policy_.time) > now_;
}

void RetentionSweep::ExpiresAt(Timestamp time) {
  if (!next_expiry_ || time < *next_expiry_) next_expiry_ = time;
}

void RetentionSweep::Keep(const RetiredObject& retired) {
  if (retired.by != RetiredBy::kRenamed) ++kept_versions_;
  kept_bytes_ += RetainedBytesOf(retired);
}

void RetentionSweep::Add(std::vector<RetiredObject> retired) {
  int64_t rank = 0;  // Among those that can be brought back.
  for (RetiredObject& entry : retired) {
    const bool kept = IsKept(entry, rank);
    if (entry.by != RetiredBy::kRenamed) ++rank;
    const Timestamp tickets_end = TicketsEnd(entry);
    if (tickets_end > now_) {
      Keep(entry);
      next_tickets_end_ = std::min(next_tickets_end_.value_or(tickets_end), tickets_end);
      ExpiresAt(kept ? std::max(tickets_end, After(entry.retired, policy_.time)) : tickets_end);
    } else if (kept) {
      Keep(entry);
      ExpiresAt(After(entry.retired, policy_.time));
      removable_.push_back(std::move(entry));
    } else {
      expired_.push_back(std::move(entry));
    }
  }
}

std::vector<RetiredObject> RetentionSweep::TakeExpired() {
  // A heap, as mostly none or few of many have to go.
  const auto later = [](const RetiredObject& a, const RetiredObject& b) {
    return a.retired > b.retired;
  };
  std::ranges::make_heap(removable_, later);
  while (kept_bytes_ > policy_.bytes && !removable_.empty()) {
    std::ranges::pop_heap(removable_, later);
    kept_bytes_ -= RetainedBytesOf(removable_.back());
    --kept_versions_;
    expired_.push_back(std::move(removable_.back()));
    removable_.pop_back();
  }
  // What is too much still is held by tickets.
  if (kept_bytes_ > policy_.bytes && next_tickets_end_) ExpiresAt(*next_tickets_end_);
  return std::move(expired_);
}

}  // namespace hangar
