#include "flight/call_log.h"

#include <chrono>
#include <format>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/server_middleware.h>

#include "base/error.h"
#include "flight/status_table.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;
using Clock = std::chrono::steady_clock;

class CallTimer final : public flight::ServerMiddleware {
 public:
  CallTimer(std::shared_ptr<Logger> logger, std::string method, std::string peer)
      : logger_(std::move(logger)), method_(std::move(method)), peer_(std::move(peer)) {}

  void SendingHeaders(flight::AddCallHeaders*) override {}

  void CallCompleted(const arrow::Status& status) override {
    const std::chrono::duration<double, std::milli> taken = Clock::now() - begin_;
    const std::string code = status.ok() ? "OK" : std::string(ErrorKindName(KindOfSent(status)));
    if (status.ok()) {
      logger_->Write(LogLevel::kDebug, "call",
                     {{"method", method_},
                      {"peer", peer_},
                      {"code", code},
                      {"milliseconds", std::format("{:.3f}", taken.count())}});
    } else {
      logger_->Write(LogLevel::kInfo, "call failed",
                     {{"method", method_},
                      {"peer", peer_},
                      {"code", code},
                      {"reason", status.message()},
                      {"milliseconds", std::format("{:.3f}", taken.count())}});
    }
  }

  std::string name() const override { return "call_log"; }

 private:
  const std::shared_ptr<Logger> logger_;
  const std::string method_;
  const std::string peer_;
  const Clock::time_point begin_ = Clock::now();
};

class CallLog final : public flight::ServerMiddlewareFactory {
 public:
  explicit CallLog(std::shared_ptr<Logger> logger) : logger_(std::move(logger)) {}

  arrow::Status StartCall(const flight::CallInfo& info, const flight::ServerCallContext& context,
                          std::shared_ptr<flight::ServerMiddleware>* middleware) override {
    *middleware =
        std::make_shared<CallTimer>(logger_, flight::ToString(info.method), context.peer());
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<Logger> logger_;
};

}  // namespace

std::shared_ptr<flight::ServerMiddlewareFactory> MakeCallLog(std::shared_ptr<Logger> logger) {
  return std::make_shared<CallLog>(std::move(logger));
}

}  // namespace hangar
