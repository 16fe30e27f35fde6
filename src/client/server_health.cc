#include "client/server_health.h"

#include <algorithm>
#include <utility>

namespace hangar::client {
namespace {

constexpr auto kBehind = std::chrono::seconds(5);
constexpr auto kBehindMax = std::chrono::seconds(120);
constexpr int kDoublingsMax = 5;  // Beyond it, kBehindMax.

}  // namespace

ServerHealth::ServerHealth(std::function<Clock::time_point()> now) : now_(std::move(now)) {}

bool ServerHealth::Failed(const std::string& uri) {
  const MutexLock lock(mutex_);
  Failure& failure = failures_[uri];
  failure.last = now_();
  // Calls that were under way together fail together: one failure.
  const bool is_news = failure.last >= failure.behind_until;
  if (!is_news) return false;
  failure.behind_until =
      failure.last + std::min<Clock::duration>(
                         kBehind * (1 << std::min(failure.times, kDoublingsMax)), kBehindMax);
  return ++failure.times == 1;
}

void ServerHealth::Answered(const std::string& uri) {
  const MutexLock lock(mutex_);
  failures_.erase(uri);
}

std::vector<std::string> ServerHealth::InOrder(std::vector<std::string> uris) const {
  const auto failures = [&] {
    const MutexLock lock(mutex_);
    return failures_;
  }();
  if (failures.empty()) return uris;
  const Clock::time_point now = now_();
  std::ranges::stable_sort(uris, {}, [&](const std::string& uri) {
    const auto found = failures.find(uri);
    const bool behind = found != failures.end() && now < found->second.behind_until;
    return behind ? found->second.last : Clock::time_point::min();
  });
  return uris;
}

}  // namespace hangar::client
