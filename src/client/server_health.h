#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace hangar::client {

/// Which servers did not answer lately. They are tried behind the others for a while: 5 seconds
/// after a first failure, twice as long after each further one, up to 2 minutes. Thread-safe.
class ServerHealth {
 public:
  using Clock = std::chrono::steady_clock;

  explicit ServerHealth(std::function<Clock::time_point()> now = Clock::now);

  /// Notes that `uri` did not answer. True when it was not known as such, so that it is news.
  bool Failed(const std::string& uri) HANGAR_EXCLUDES(mutex_);

  void Answered(const std::string& uri) HANGAR_EXCLUDES(mutex_);

  /// First those that are not put behind, in their order; then the others, the one whose failure is
  /// the oldest first.
  std::vector<std::string> InOrder(std::vector<std::string> uris) const HANGAR_EXCLUDES(mutex_);

 private:
  struct Failure {
    int times = 0;
    Clock::time_point last;
    Clock::time_point behind_until;
  };

  const std::function<Clock::time_point()> now_;
  mutable Mutex mutex_;
  std::map<std::string, Failure> failures_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar::client
