#include "metrics/call_metrics.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <format>
#include <list>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "metrics/metrics.h"

namespace hangar {

/// A method of a door, and what is measured of it.
struct ObservedMethod {
  std::string door;
  std::string name;
  size_t traffic_index = 0;  // Of the door's.
  DurationHistogram durations;
  // By the kind of error, the first one for calls that went well. Kinds with one name share one.
  std::vector<EventCounter> ended;
  std::unique_ptr<std::atomic<int64_t>> in_progress = std::make_unique<std::atomic<int64_t>>(0);
};

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKinds = static_cast<int>(ErrorKind::kInternal) + 1;

// From a look into a cached footer to a download over a slow line.
const std::vector<double>& DurationBounds() {
  static const std::vector<double> bounds = {
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
  return bounds;
}

void Add(const CallTraffic& more, CallTraffic* sum) {
  sum->rows_in += more.rows_in;
  sum->bytes_in += more.bytes_in;
  sum->rows_out += more.rows_out;
  sum->bytes_out += more.bytes_out;
}

// Empty, and so left out, where there was none.
std::string CountText(int64_t count) { return count == 0 ? "" : std::to_string(count); }

class Observer final : public CallObserver, public std::enable_shared_from_this<Observer> {
 public:
  Observer(Metrics* metrics, std::shared_ptr<Logger> logger)
      : metrics_(metrics), logger_(std::move(logger)) {}

  Method AddMethod(std::string_view door, std::string_view method) override;
  std::unique_ptr<ObservedCall> Begin(Method method, Begun begun, AskTraffic traffic) override;

 private:
  class Call;
  using Calls = std::list<Call*>;

  // What the calls of one door moved: those that ended, and those under way. A call goes from one
  // to the other in one step, so that the sum never gets less.
  struct DoorTraffic {
    std::string door;
    CallTraffic ended;
    Calls under_way;
  };

  // The second says whether the door was not known before.
  std::pair<size_t, bool> TrafficIndexOf(const std::string& door) HANGAR_EXCLUDES(mutex_);
  // Without the lock: who looks at the metrics holds theirs and then takes this one.
  void AskForTraffic(const std::string& door, size_t index) HANGAR_EXCLUDES(mutex_);
  CallTraffic TrafficOf(size_t index) HANGAR_EXCLUDES(mutex_);

  Metrics* const metrics_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  std::deque<ObservedMethod> methods_ HANGAR_GUARDED_BY(mutex_);  // Stay where they are.
  std::vector<DoorTraffic> doors_ HANGAR_GUARDED_BY(mutex_);
};

class Observer::Call final : public ObservedCall {
 public:
  Call(std::shared_ptr<Observer> observer, Method method, Begun begun, AskTraffic traffic)
      : observer_(std::move(observer)),
        method_(method),
        begun_(std::move(begun)),
        ask_traffic_(std::move(traffic)) {
    method_->in_progress->fetch_add(1, std::memory_order_relaxed);
    const MutexLock lock(observer_->mutex_);
    Calls& calls = observer_->doors_[method_->traffic_index].under_way;
    position_ = calls.insert(calls.begin(), this);
  }

  ~Call() override {
    if (!ended_) End({.error = ErrorKind::kCancelled, .reason = "it was broken off"});
  }

  void End(const CallOutcome& outcome) override {
    ended_ = true;
    const auto taken = Clock::now() - begin_;
    const CallTraffic traffic = LeaveList();
    method_->in_progress->fetch_sub(1, std::memory_order_relaxed);
    method_->durations.Observe(taken);
    method_->ended[outcome.error ? 1 + static_cast<size_t>(*outcome.error) : 0].Add();
    if (observer_->logger_->Logs(LogLevel::kInfo)) Log(outcome, traffic, taken);
  }

  CallTraffic traffic() const { return ask_traffic_ ? ask_traffic_() : CallTraffic{}; }

 private:
  CallTraffic LeaveList() {
    const MutexLock lock(observer_->mutex_);
    DoorTraffic& door = observer_->doors_[method_->traffic_index];
    door.under_way.erase(position_);
    const CallTraffic last = traffic();
    Add(last, &door.ended);
    return last;
  }

  void Log(const CallOutcome& outcome, const CallTraffic& traffic, Clock::duration taken) const {
    const std::chrono::duration<double, std::milli> milliseconds = taken;
    observer_->logger_->Info(
        "call", {{"door", method_->door},
                 {"method", method_->name},
                 {"identity", outcome.identity},
                 {"peer", begun_.peer},
                 {"dataset", outcome.dataset},
                 {"rows_in", CountText(traffic.rows_in), true},
                 {"bytes_in", CountText(traffic.bytes_in), true},
                 {"rows_out", CountText(traffic.rows_out), true},
                 {"bytes_out", CountText(traffic.bytes_out), true},
                 {"milliseconds", std::format("{:.3f}", milliseconds.count()), true},
                 {"code", outcome.error ? std::string(ErrorKindName(*outcome.error)) : "OK"},
                 {"http_status", CountText(outcome.http_status), true},
                 {"trace_id", begun_.trace_id},
                 {"reason", outcome.reason}});
  }

  const std::shared_ptr<Observer> observer_;
  const Method method_;
  const Begun begun_;
  const AskTraffic ask_traffic_;
  const Clock::time_point begin_ = Clock::now();
  Calls::iterator position_;
  bool ended_ = false;
};

CallObserver::Method Observer::AddMethod(std::string_view door, std::string_view method) {
  ObservedMethod made{.door = std::string(door), .name = std::string(method)};
  const MetricLabels labels = {{"door", made.door}, {"method", made.name}};
  made.durations = metrics_->Durations("hangar_call_duration_seconds",
                                       "How long calls took, from their begin to their end.",
                                       DurationBounds(), labels);
  // All of them from the start, so that the first failure is seen as one more than none.
  for (int kind = -1; kind < kKinds; ++kind) {
    MetricLabels with_code = labels;
    with_code.emplace_back("code", kind < 0 ? "OK" : ErrorKindName(static_cast<ErrorKind>(kind)));
    made.ended.push_back(
        metrics_->Counter("hangar_calls_total", "Calls that ended, by how.", with_code));
  }
  const auto [index, is_new_door] = TrafficIndexOf(made.door);
  made.traffic_index = index;
  if (is_new_door) AskForTraffic(made.door, index);
  Method added = nullptr;
  {
    const MutexLock lock(mutex_);
    added = &methods_.emplace_back(std::move(made));
  }
  metrics_->AskGauge(
      "hangar_calls_in_progress", "Calls under way.", labels, [self = shared_from_this(), added] {
        return static_cast<double>(added->in_progress->load(std::memory_order_relaxed));
      });
  return added;
}

std::pair<size_t, bool> Observer::TrafficIndexOf(const std::string& door) {
  const MutexLock lock(mutex_);
  const auto known = std::ranges::find(doors_, door, &DoorTraffic::door);
  const auto index = static_cast<size_t>(known - doors_.begin());
  const bool is_new = known == doors_.end();
  if (is_new) doors_.push_back({.door = door, .ended = {}, .under_way = {}});
  return {index, is_new};
}

CallTraffic Observer::TrafficOf(size_t index) {
  const MutexLock lock(mutex_);
  CallTraffic sum = doors_[index].ended;
  for (const Call* call : doors_[index].under_way) Add(call->traffic(), &sum);
  return sum;
}

void Observer::AskForTraffic(const std::string& door, size_t index) {
  const auto ask = [&](const char* name, const char* help, int64_t CallTraffic::* field) {
    metrics_->AskCounter(name, help, {{"door", door}}, [self = shared_from_this(), index, field] {
      return static_cast<double>(self->TrafficOf(index).*field);
    });
  };
  ask("hangar_received_rows_total", "Rows that clients sent.", &CallTraffic::rows_in);
  ask("hangar_received_bytes_total", "Bytes of Arrow data and of files that clients sent.",
      &CallTraffic::bytes_in);
  ask("hangar_sent_rows_total", "Rows that clients were given.", &CallTraffic::rows_out);
  ask("hangar_sent_bytes_total", "Bytes of Arrow data and of files that clients were given.",
      &CallTraffic::bytes_out);
}

std::unique_ptr<ObservedCall> Observer::Begin(Method method, Begun begun, AskTraffic traffic) {
  return std::make_unique<Call>(shared_from_this(), method, std::move(begun), std::move(traffic));
}

}  // namespace

std::shared_ptr<CallObserver> MakeCallObserver(Metrics* metrics, std::shared_ptr<Logger> logger) {
  return std::make_shared<Observer>(metrics, std::move(logger));
}

}  // namespace hangar
