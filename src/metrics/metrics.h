#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace prometheus {
class Counter;
class Histogram;
}  // namespace prometheus

namespace hangar {

/// Names and values of labels, a bounded set of them: never a dataset's name or an identity.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// How long something took, again and again. Cheap to copy; it must not outlive the Metrics that
/// made it. As made by default it notes nothing. Thread-safe.
class DurationHistogram {
 public:
  DurationHistogram() = default;

  void Observe(std::chrono::nanoseconds duration) const;

 private:
  friend class Metrics;
  explicit DurationHistogram(prometheus::Histogram* histogram) : histogram_(histogram) {}

  prometheus::Histogram* histogram_ = nullptr;
};

/// Observes how long a scope lasts.
class ScopedDuration {
 public:
  explicit ScopedDuration(DurationHistogram histogram) : histogram_(histogram) {}
  ~ScopedDuration() { histogram_.Observe(std::chrono::steady_clock::now() - begin_); }
  ScopedDuration(const ScopedDuration&) = delete;
  ScopedDuration& operator=(const ScopedDuration&) = delete;

 private:
  const DurationHistogram histogram_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

/// Something that is counted, and never gets less. As DurationHistogram.
class EventCounter {
 public:
  EventCounter() = default;

  void Add(double amount = 1) const;

 private:
  friend class Metrics;
  explicit EventCounter(prometheus::Counter* counter) : counter_(counter) {}

  prometheus::Counter* counter_ = nullptr;
};

/// The numbers that the process shows of itself, for Prometheus. `app/` makes one and hands it
/// down. Names follow Prometheus' conventions: "hangar_" first, base units (seconds, bytes), and
/// "_total" at the end of what only grows. A name that is malformed, or stands for another type
/// already, is a defect and ends the process. Thread-safe.
class Metrics {
 public:
  /// A number that is asked for when somebody looks, on their thread: it must not block for long
  /// and has to be right until StopAsking.
  using Question = std::function<double()>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The same one for the same name and labels.
  EventCounter Counter(const std::string& name, const std::string& help,
                       const MetricLabels& labels = {});
  /// As Counter. Buckets up to `bounds_seconds`, ascending.
  DurationHistogram Durations(const std::string& name, const std::string& help,
                              const std::vector<double>& bounds_seconds,
                              const MetricLabels& labels = {});

  /// A number that comes and goes. One with the same name and other labels belongs to it.
  void AskGauge(const std::string& name, const std::string& help, MetricLabels labels,
                Question question);
  /// A number that only grows.
  void AskCounter(const std::string& name, const std::string& help, MetricLabels labels,
                  Question question);
  /// Once this returns, no question is being asked or will be: what they ask may go.
  void StopAsking();

  /// All of it in Prometheus' text format, version 0.0.4
  /// (https://prometheus.io/docs/instrumenting/exposition_formats/).
  std::string Text();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

/// The content type of `Metrics::Text`.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace hangar
