#include "flight/active_calls.h"

#include <string>
#include <utility>

#include <arrow/flight/server_middleware.h>
#include <arrow/flight/types.h>

namespace hangar {
namespace {

namespace flight = arrow::flight;

// Tells clients that another server may be asked instead (docs/protocol.md).
constexpr char kNotBegun[] = "NOT_BEGUN";

// One call; it ends with the call's context, whatever became of the call.
class ActiveCall final : public flight::ServerMiddleware {
 public:
  explicit ActiveCall(std::shared_ptr<ActiveCalls> calls) : calls_(std::move(calls)) {}
  ~ActiveCall() override { calls_->End(); }

  void SendingHeaders(flight::AddCallHeaders*) override {}
  void CallCompleted(const arrow::Status&) override {}
  std::string name() const override { return "active_call"; }

 private:
  const std::shared_ptr<ActiveCalls> calls_;
};

class CallGate final : public flight::ServerMiddlewareFactory {
 public:
  explicit CallGate(std::shared_ptr<ActiveCalls> calls) : calls_(std::move(calls)) {}

  arrow::Status StartCall(const flight::CallInfo&, const flight::ServerCallContext&,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    if (!calls_->TryBegin()) {
      return flight::MakeFlightError(flight::FlightStatusCode::Unavailable,
                                     "the server is stopping; try again later", kNotBegun);
    }
    *middleware = std::make_shared<ActiveCall>(calls_);
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<ActiveCalls> calls_;
};

}  // namespace

bool ActiveCalls::TryBegin() {
  MutexLock lock(mutex_);
  if (closed_) return false;
  ++count_;
  return true;
}

void ActiveCalls::End() {
  MutexLock lock(mutex_);
  if (--count_ == 0) none_.NotifyAll();
}

void ActiveCalls::CloseGate() {
  MutexLock lock(mutex_);
  closed_ = true;
}

bool ActiveCalls::WaitUntilNone(std::chrono::steady_clock::time_point time) {
  MutexLock lock(mutex_);
  while (count_ > 0) {
    if (!none_.WaitUntil(mutex_, time) && count_ > 0) return false;
  }
  return true;
}

std::shared_ptr<flight::ServerMiddlewareFactory> MakeCallGate(std::shared_ptr<ActiveCalls> calls) {
  return std::make_shared<CallGate>(std::move(calls));
}

}  // namespace hangar
