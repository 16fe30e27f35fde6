#include "s3/retry.h"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

namespace hangar {
namespace {

double DrawUnit() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(generator);
}

RetrySettings WithDefaults(RetrySettings settings) {
  if (!settings.sleep) {
    settings.sleep = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  }
  if (!settings.random) settings.random = &DrawUnit;
  return settings;
}

}  // namespace

RetryPolicy::RetryPolicy(RetrySettings settings)
    : settings_(WithDefaults(std::move(settings))), tokens_(settings_.budget_tokens) {}

void RetryPolicy::Succeeded() {
  const MutexLock lock(mutex_);
  tokens_ = std::min(tokens_ + 1, settings_.budget_tokens);
}

std::chrono::milliseconds RetryPolicy::Pause(int attempt) const {
  auto longest = settings_.base;
  for (int i = 1; i < attempt && longest < settings_.cap; ++i) longest *= 2;
  longest = std::min(longest, settings_.cap);
  return std::chrono::milliseconds(
      static_cast<int64_t>(static_cast<double>(longest.count()) * settings_.random()));
}

bool RetryPolicy::WaitForNext(const Attempts& attempts, std::chrono::milliseconds retry_after) {
  if (attempts.made >= settings_.attempts_max || retry_after > settings_.retry_after_max) {
    return false;
  }
  const auto pause = std::max(Pause(attempts.made), retry_after);
  if (std::chrono::steady_clock::now() + pause > attempts.begun + settings_.time_max) return false;
  {
    const MutexLock lock(mutex_);
    if (tokens_ < settings_.tokens_of_repetition) return false;
    tokens_ -= settings_.tokens_of_repetition;
  }
  settings_.sleep(pause);
  return true;
}

}  // namespace hangar
