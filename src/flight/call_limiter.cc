#include "flight/call_limiter.h"

#include <string>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/server_middleware.h>

#include "access/identity.h"
#include "flight/access_middleware.h"
#include "flight/connection_progress.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

// A stream that ends makes room, and most do within seconds.
constexpr char kRetryAfterTrailer[] = "grpc-retry-pushback-ms";
constexpr char kRetryAfterMilliseconds[] = "1000";

// A Handshake goes on until its client ends it.
bool HoldsStream(flight::FlightMethod method) {
  return method == flight::FlightMethod::Handshake || method == flight::FlightMethod::DoGet ||
         method == flight::FlightMethod::DoPut || method == flight::FlightMethod::DoExchange ||
         method == flight::FlightMethod::ListFlights;
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
  explicit CallLimiter(std::shared_ptr<CallLimits> limits) : limits_(std::move(limits)) {}

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    if (!HoldsStream(info.method)) return arrow::Status::OK();
    std::string caller = CallerKey(IdentityOf(context).get(), AddressOfPeer(context.peer()));
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

std::shared_ptr<flight::ServerMiddlewareFactory> MakeCallLimiter(
    std::shared_ptr<CallLimits> limits) {
  return std::make_shared<CallLimiter>(std::move(limits));
}

}  // namespace hangar
