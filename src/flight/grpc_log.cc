#include "flight/grpc_log.h"

#include <atomic>
#include <format>
#include <string_view>
#include <utility>

#include <grpc/support/log.h>
#include <grpcpp/grpcpp.h>

namespace hangar {
namespace {

// gRPC's callback takes no argument of ours.
std::atomic<std::shared_ptr<Logger>*> grpc_logger = nullptr;

LogLevel LevelOf(gpr_log_severity severity) {
  switch (severity) {
    case GPR_LOG_SEVERITY_DEBUG:
      return LogLevel::kDebug;
    case GPR_LOG_SEVERITY_INFO:
      return LogLevel::kInfo;
    case GPR_LOG_SEVERITY_ERROR:
      return LogLevel::kWarning;
  }
  return LogLevel::kWarning;
}

void Write(gpr_log_func_args* args) {
  const std::string_view file = args->file;
  const std::string_view leaf = file.substr(file.rfind('/') + 1);
  (*grpc_logger.load())
      ->Write(LevelOf(args->severity), "gRPC says",
              {{"text", args->message}, {"place", std::format("{}:{}", leaf, args->line)}});
}

}  // namespace

void SendGrpcLogTo(std::shared_ptr<Logger> logger) {
  grpc_logger = new std::shared_ptr<Logger>(std::move(logger));  // Kept to the end.
  gpr_set_log_function(Write);
}

std::string GrpcVersion() { return grpc::Version(); }

}  // namespace hangar
