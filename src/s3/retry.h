#pragma once

#include <chrono>
#include <functional>

#include "base/mutex.h"

namespace hangar {

/// How often one request was sent, and since when.
struct Attempts {
  int made = 0;
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};

struct RetrySettings {
  int attempts_max = 8;
  std::chrono::milliseconds base{50};     ///< The longest pause before the first repetition.
  std::chrono::milliseconds cap{10'000};  ///< The longest pause at all.
  /// What a server may ask for; where it asks for more, the request fails.
  std::chrono::milliseconds retry_after_max{30'000};

  /// No repetition is sent later than this after the first attempt, so that a store that asks for
  /// patience again and again ends in an error while somebody still waits for it.
  std::chrono::milliseconds time_max{120'000};

  /// A repetition takes some tokens from a bucket that all requests share, a success puts one back,
  /// so that repetitions do not multiply the load of a store that is down (as in the "standard"
  /// mode of AWS' SDKs,
  /// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html).
  double budget_tokens = 500;
  double tokens_of_repetition = 5;

  std::function<void(std::chrono::milliseconds)> sleep;  ///< Empty: sleeps.
  std::function<double()> random;                        ///< In [0, 1). Empty: draws.
};

/// Decides how often and when requests are repeated. Thread-safe.
class RetryPolicy {
 public:
  explicit RetryPolicy(RetrySettings settings = {});

  /// A request went well.
  void Succeeded() HANGAR_EXCLUDES(mutex_);

  /// After the last of these attempts failed: waits for as long as has to be, at least
  /// `retry_after`, and returns true; or false at once when there shall be no other one.
  bool WaitForNext(const Attempts& attempts, std::chrono::milliseconds retry_after)
      HANGAR_EXCLUDES(mutex_);

 private:
  std::chrono::milliseconds Pause(int attempt) const;

  const RetrySettings settings_;
  Mutex mutex_;
  double tokens_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace hangar
