#include "flight/call_limits.h"

#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/server_middleware.h>

#include "base/error.h"
#include "flight/connection_progress.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

// A stream that ends makes room, and most do within seconds.
constexpr char kRetryAfterTrailer[] = "grpc-retry-pushback-ms";
constexpr char kRetryAfterMilliseconds[] = "1000";

bool HoldsStream(flight::FlightMethod method) {
  return method == flight::FlightMethod::DoGet || method == flight::FlightMethod::DoPut ||
         method == flight::FlightMethod::DoExchange || method == flight::FlightMethod::ListFlights;
}

// A call's place; it is given back with the call's context, whatever became of the call.
class HeldStream final : public flight::ServerMiddleware {
 public:
  HeldStream(std::shared_ptr<CallLimits> limits, std::string caller, bool is_upload)
      : limits_(std::move(limits)), caller_(std::move(caller)), is_upload_(is_upload) {}
  ~HeldStream() override { limits_->End(caller_, is_upload_); }

  void SendingHeaders(flight::AddCallHeaders*) override {}
  void CallCompleted(const arrow::Status&) override {}
  std::string name() const override { return "held_stream"; }

 private:
  const std::shared_ptr<CallLimits> limits_;
  const std::string caller_;
  const bool is_upload_;
};

class CallLimiter final : public flight::ServerMiddlewareFactory {
 public:
  explicit CallLimiter(const CallLimits::Options& options)
      : limits_(std::make_shared<CallLimits>(options)) {}

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    if (!HoldsStream(info.method)) return arrow::Status::OK();
    std::string caller(CallerOfPeer(context.peer()));
    const bool is_upload = info.method == flight::FlightMethod::DoPut;
    const auto begun = limits_->Begin(caller, is_upload);
    if (!begun.ok()) {
      context.AddTrailer(kRetryAfterTrailer, kRetryAfterMilliseconds);
      return begun;
    }
    *middleware = std::make_shared<HeldStream>(limits_, std::move(caller), is_upload);
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<CallLimits> limits_;
};

}  // namespace

arrow::Status CallLimits::Begin(const std::string& caller, bool is_upload) {
  MutexLock lock(mutex_);
  if (streams_ >= options_.streams) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} reads, listings and uploads are under way, as many as this server lets run at "
                 "once (its setting max_streams); try again in a second",
                 options_.streams);
  }
  if (is_upload && uploads_ >= options_.uploads) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} uploads are under way, as many as this server lets run at once (its setting "
                 "max_uploads); try again in a second",
                 options_.uploads);
  }
  int64_t& of_caller = by_caller_[caller];
  if (of_caller >= options_.streams_per_caller) {
    return Error(ErrorKind::kResourceExhausted,
                 "{} reads, listings and uploads of your address are under way, as many as this "
                 "server lets one address run at once (its setting max_streams_per_caller); try "
                 "again in a second",
                 options_.streams_per_caller);
  }
  ++of_caller;
  ++streams_;
  if (is_upload) ++uploads_;
  return arrow::Status::OK();
}

void CallLimits::End(const std::string& caller, bool is_upload) {
  MutexLock lock(mutex_);
  --streams_;
  if (is_upload) --uploads_;
  const auto of_caller = by_caller_.find(caller);
  if (--of_caller->second == 0) by_caller_.erase(of_caller);
}

std::shared_ptr<flight::ServerMiddlewareFactory> MakeCallLimiter(
    const CallLimits::Options& options) {
  return std::make_shared<CallLimiter>(options);
}

}  // namespace hangar
