#include "flight/call_log.h"

#include <array>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/server_middleware.h>

#include "access/identity.h"
#include "base/error.h"
#include "base/trace_context.h"
#include "flight/access_middleware.h"
#include "flight/connection_progress.h"
#include "flight/status_table.h"
#include "service/caller.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;
using flight::FlightMethod;

constexpr char kDoor[] = "flight";
constexpr char kTraceparent[] = "traceparent";

constexpr std::array kMethods = {
    FlightMethod::Handshake,      FlightMethod::ListFlights, FlightMethod::GetFlightInfo,
    FlightMethod::GetSchema,      FlightMethod::DoGet,       FlightMethod::DoPut,
    FlightMethod::DoAction,       FlightMethod::ListActions, FlightMethod::DoExchange,
    FlightMethod::PollFlightInfo,
};

// Flight ends these well when the client breaks them off: a write that fails is the end to it.
bool GivesStream(FlightMethod method) {
  return method == FlightMethod::DoGet || method == FlightMethod::ListFlights ||
         method == FlightMethod::DoAction || method == FlightMethod::ListActions;
}

// The header, if it was sent once: who sends two sends none, by the specification.
std::optional<std::string_view> TraceparentOf(const flight::ServerCallContext& context) {
  const auto [first, end] = context.incoming_headers().equal_range(kTraceparent);
  if (first == end || std::next(first) != end) return std::nullopt;
  return first->second;
}

CallTraffic TrafficOf(const CallActivity& activity) {
  constexpr auto kOrder = std::memory_order_relaxed;
  return {.rows_in = activity.rows_in.load(kOrder),
          .bytes_in = activity.bytes_in.load(kOrder),
          .rows_out = activity.rows_out.load(kOrder),
          .bytes_out = activity.bytes_out.load(kOrder)};
}

// What fails in the middle of a listing or of an action's results comes here in gRPC's form, with
// its kind at the end of the sentence.
CallOutcome OutcomeOf(const arrow::Status& status) {
  constexpr std::string_view kMark = ". Detail: ";
  if (status.ok()) return {};
  CallOutcome outcome{.error = KindOfSent(status), .reason = status.message()};
  const size_t mark = outcome.reason.rfind(kMark);
  if (mark == std::string::npos) return outcome;
  const auto kind = ErrorKindFromName(std::string_view(outcome.reason).substr(mark + kMark.size()));
  if (!kind) return outcome;
  outcome.error = kind;
  outcome.reason.resize(mark);
  return outcome;
}

class CallLogEntry final : public flight::ServerMiddleware {
 public:
  CallLogEntry(CallObserver& observer, CallObserver::Method method, bool gives_stream,
               const flight::ServerCallContext& context)
      : context_(context),
        gives_stream_(gives_stream),
        trace_(ContinueTrace(TraceparentOf(context))),
        call_(observer.Begin(method,
                             {.peer = TextOfPeer(context.peer()), .trace_id = trace_.trace_id},
                             [activity = activity_] { return TrafficOf(*activity); })) {}

  void SendingHeaders(flight::AddCallHeaders* headers) override {
    // Flight asks twice for some methods.
    if (!std::exchange(sent_, true)) headers->AddHeader(kTraceparent, trace_.ToTraceparent());
  }

  void CallCompleted(const arrow::Status& status) override {
    CallOutcome outcome = OutcomeOf(status);
    if (status.ok() && gives_stream_ && context_.is_cancelled()) {
      outcome = {.error = ErrorKind::kCancelled, .reason = "the client broke it off"};
    }
    outcome.dataset = activity_->dataset();
    const auto identity = IdentityOf(context_);
    outcome.identity = (identity != nullptr ? identity : AnonymousIdentity())->ToString();
    call_->End(outcome);
  }

  std::string name() const override { return kCallLogMiddleware; }

  const std::string& trace_id() const { return trace_.trace_id; }
  const std::shared_ptr<CallActivity>& activity() const { return activity_; }

 private:
  const flight::ServerCallContext& context_;  // Owns this.
  const bool gives_stream_;
  const TraceContext trace_;
  const std::shared_ptr<CallActivity> activity_ = std::make_shared<CallActivity>();
  const std::unique_ptr<ObservedCall> call_;
  bool sent_ = false;
};

class CallLog final : public flight::ServerMiddlewareFactory {
 public:
  explicit CallLog(std::shared_ptr<CallObserver> observer) : observer_(std::move(observer)) {
    for (size_t i = 0; i < kMethods.size(); ++i) {
      methods_[i] = observer_->AddMethod(kDoor, flight::ToString(kMethods[i]));
    }
  }

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    for (size_t i = 0; i < kMethods.size(); ++i) {
      if (kMethods[i] != info.method) continue;
      *middleware = std::make_shared<CallLogEntry>(*observer_, methods_[i],
                                                   GivesStream(info.method), context);
    }
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<CallObserver> observer_;
  std::array<CallObserver::Method, kMethods.size()> methods_{};
};

const CallLogEntry* EntryOf(const flight::ServerCallContext& context) {
  return dynamic_cast<const CallLogEntry*>(context.GetMiddleware(kCallLogMiddleware));
}

}  // namespace

std::shared_ptr<flight::ServerMiddlewareFactory> MakeCallLog(
    std::shared_ptr<CallObserver> observer) {
  return std::make_shared<CallLog>(std::move(observer));
}

void CompleteCaller(const flight::ServerCallContext& context, Caller* caller) {
  const CallLogEntry* const entry = EntryOf(context);
  if (entry == nullptr) return;
  caller->trace_id = entry->trace_id();
  caller->activity = entry->activity();
}

}  // namespace hangar
