#include "metrics/metrics.h"

#include <algorithm>
#include <map>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/mutex.h"

namespace hangar {
namespace {

prometheus::Labels ToPrometheus(const MetricLabels& labels) {
  return {labels.begin(), labels.end()};
}

}  // namespace

struct Metrics::State {
  struct Asked {
    std::string name;
    std::string help;
    prometheus::MetricType type;
    MetricLabels labels;
    Question question;
  };

  void Ask(Asked asked) HANGAR_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    questions.push_back(std::move(asked));
  }

  // Adds what is asked for to the families, by their names.
  void CollectAnswers(std::map<std::string, prometheus::MetricFamily>* families)
      HANGAR_EXCLUDES(mutex) {
    const MutexLock lock(mutex);
    for (const Asked& asked : questions) {
      prometheus::MetricFamily& family = (*families)[asked.name];
      family.name = asked.name;
      family.help = asked.help;
      family.type = asked.type;
      prometheus::ClientMetric metric;
      for (const auto& [name, value] : asked.labels) metric.label.push_back({name, value});
      const double answer = asked.question();
      if (asked.type == prometheus::MetricType::Counter) {
        metric.counter.value = answer;
      } else {
        metric.gauge.value = answer;
      }
      family.metric.push_back(std::move(metric));
    }
  }

  prometheus::Registry registry;
  Mutex mutex;  // Held while questions are asked.
  std::vector<Asked> questions HANGAR_GUARDED_BY(mutex);
};

void DurationHistogram::Observe(std::chrono::nanoseconds duration) const {
  if (histogram_ == nullptr) return;
  histogram_->Observe(std::chrono::duration<double>(duration).count());
}

void EventCounter::Add(double amount) const {
  if (counter_ != nullptr) counter_->Increment(amount);
}

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

EventCounter Metrics::Counter(const std::string& name, const std::string& help,
                              const MetricLabels& labels) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return EventCounter(&family.Add(ToPrometheus(labels)));
}

DurationHistogram Metrics::Durations(const std::string& name, const std::string& help,
                                     const std::vector<double>& bounds_seconds,
                                     const MetricLabels& labels) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return DurationHistogram(&family.Add(ToPrometheus(labels), bounds_seconds));
}

void Metrics::AskGauge(const std::string& name, const std::string& help, MetricLabels labels,
                       Question question) {
  state_->Ask({name, help, prometheus::MetricType::Gauge, std::move(labels), std::move(question)});
}

void Metrics::AskCounter(const std::string& name, const std::string& help, MetricLabels labels,
                         Question question) {
  state_->Ask(
      {name, help, prometheus::MetricType::Counter, std::move(labels), std::move(question)});
}

void Metrics::StopAsking() {
  const MutexLock lock(state_->mutex);
  state_->questions.clear();
}

std::string Metrics::Text() {
  std::map<std::string, prometheus::MetricFamily> by_name;
  for (prometheus::MetricFamily& family : state_->registry.Collect()) {
    by_name.emplace(family.name, std::move(family));
  }
  state_->CollectAnswers(&by_name);
  std::vector<prometheus::MetricFamily> families;
  for (auto& [name, family] : by_name) {
    // The registry gives them in the order of a hash table.
    std::ranges::sort(family.metric, {}, &prometheus::ClientMetric::label);
    families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace hangar
