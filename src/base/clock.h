#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hangar {

/// A point in time, UTC, in nanoseconds since the Unix epoch.
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// The present time, as the machine's clock has it.
Timestamp Now();

/// RFC 3339 in UTC with nanoseconds, for example "2026-01-31T23:59:59.000000001Z".
std::string FormatTimestamp(Timestamp time);

/// An RFC 3339 time, with "Z" or an offset, of the years 1970 to 2200; or a date, which is its
/// first moment in UTC. nullopt for anything else.
std::optional<Timestamp> ParseTimestamp(std::string_view text);

/// Tells how late it is without ever being early: when the machine's clock is set, forward or back,
/// this one does not jump ahead, so that nothing that is kept for some time goes before it.
class CautiousClock {
 public:
  CautiousClock() : start_(hangar::Now()), steady_start_(std::chrono::steady_clock::now()) {}

  Timestamp Now() const;

 private:
  const Timestamp start_;
  const std::chrono::steady_clock::time_point steady_start_;
};

}  // namespace hangar
