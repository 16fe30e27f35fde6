#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"

namespace hangar {

class Metrics;

/// What a call took in and gave out so far.
struct CallTraffic {
  int64_t rows_in = 0;
  int64_t bytes_in = 0;
  int64_t rows_out = 0;
  int64_t bytes_out = 0;
};

/// How a call ended, and what the log says of it.
struct CallOutcome {
  std::optional<ErrorKind> error = {};  ///< Absent: it went well.
  std::string reason = {};              ///< The sentence that the client got, where it failed.
  std::string identity = {};            ///< See Identity::ToString; empty: nobody asked who it is.
  std::string dataset = {};             ///< Empty: it is about none, or about many.
  int http_status = 0;                  ///< 0: the door speaks no HTTP.
};

/// A call that is under way, from when it is made until it goes. Thread-safe as far as End is
/// called once. It may outlive the observer that made it.
class ObservedCall {
 public:
  virtual ~ObservedCall() = default;  ///< Without End: it ended as CANCELLED.
  virtual void End(const CallOutcome& outcome) = 0;
};

/// Writes a line of the log for each call and measures it, the same for every door.
///
///     // Once for each method, when the door starts:
///     const CallObserver::Method get = observer->AddMethod("http", "GetDataset");
///     // For each call; `activity` is the Caller's:
///     auto call = observer->Begin(get, {.peer = peer, .trace_id = trace_id},
///                                 [activity] { return CallTraffic{...}; });
///     ...
///     call->End({.error = KindOf(status), .reason = sentence, .identity = ..., .dataset = ...});
///
/// The line is "call", level information, with door, method, identity, peer, dataset, rows_in,
/// bytes_in, rows_out, bytes_out, milliseconds, code, http_status, trace_id and reason; what is
/// empty or 0 is left out. Thread-safe.
class CallObserver {
 public:
  /// Belongs to the observer, as long as it lives.
  using Method = const struct ObservedMethod*;

  struct Begun {
    std::string peer = {};      ///< The network address.
    std::string trace_id = {};  ///< Of the W3C's traceparent.
  };
  /// Asked while the call is under way, now and then and from any thread, and once at its end.
  /// What it says must not become less.
  using AskTraffic = std::function<CallTraffic()>;

  virtual ~CallObserver() = default;

  /// `door` and `method` become labels of metrics, so there are few of them: never a path. To be
  /// called once for each.
  virtual Method AddMethod(std::string_view door, std::string_view method) = 0;

  /// `traffic` may be empty.
  virtual std::unique_ptr<ObservedCall> Begin(Method method, Begun begun, AskTraffic traffic) = 0;
};

/// `metrics` must outlive the observer and all its calls.
std::shared_ptr<CallObserver> MakeCallObserver(Metrics* metrics, std::shared_ptr<Logger> logger);

}  // namespace hangar
