#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "store/object_store.h"

namespace hangar {

/// What is kept of the versions that were replaced or dropped. A version is kept as long as all
/// three of `versions`, `time` and `bytes` allow it, and in any case until no ticket names it.
struct RetentionPolicy {
  std::chrono::nanoseconds ticket_ttl = std::chrono::minutes(10);
  int64_t versions = 10;  ///< Of each name, the latest so many.
  std::chrono::nanoseconds time = std::chrono::hours(7 * 24);  ///< From the moment of retirement.
  int64_t bytes = INT64_MAX;                                   ///< Of all names together.
};

/// What a retired version takes: nothing where its bytes live on under another name.
int64_t RetainedBytesOf(const RetiredObject& retired);

/// What one look at everything that is retired comes to.
class RetentionSweep {
 public:
  RetentionSweep(const RetentionPolicy& policy, Timestamp now) : policy_(policy), now_(now) {}

  /// Takes what is retired from one key, the latest first, as ListRetired gives it.
  void Add(std::vector<RetiredObject> retired);

  /// What is to be purged; to be asked once, when everything was added.
  std::vector<RetiredObject> TakeExpired();

  /// Of what stays. Bytes that live on under another name are not counted.
  int64_t kept_versions() const { return kept_versions_; }
  int64_t kept_bytes() const { return kept_bytes_; }

  /// When the next of those that stay expires as things stand, if any does.
  std::optional<Timestamp> next_expiry() const { return next_expiry_; }

 private:
  // Until when a ticket may name it.
  Timestamp TicketsEnd(const RetiredObject& retired) const;
  bool IsKept(const RetiredObject& retired, int64_t rank) const;
  void Keep(const RetiredObject& retired);
  void ExpiresAt(Timestamp time);

  const RetentionPolicy policy_;
  const Timestamp now_;
  std::vector<RetiredObject> expired_;
  std::vector<RetiredObject> removable_;  // Kept by the policy alone, in no order.
  int64_t kept_versions_ = 0;
  int64_t kept_bytes_ = 0;
  std::optional<Timestamp> next_expiry_;
  std::optional<Timestamp> next_tickets_end_;
};

}  // namespace hangar
