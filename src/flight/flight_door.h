#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/log.h"
#include "flight/call_limits.h"
#include "service/dataset_service.h"

namespace grpc {
class Service;
}

namespace hangar {

class ActiveCalls;
class StallGuard;

struct FlightDoorOptions {
  /// Where to listen: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH.
  std::string listen;
  /// What endpoints name as their locations; empty: the connection that asked.
  std::vector<std::string> advertise;
  CallLimits::Options calls;
  int64_t message_bytes = 2LL << 30;     ///< Of one message from a client; 2 GiB - 1 at most.
  int64_t connection_bytes = 1LL << 40;  ///< Of all connections' buffers, about.
  /// See StallGuard.
  std::chrono::milliseconds stall_timeout{60'000};
  /// A connection that was silent for so long must answer a ping within 20 seconds, or is closed.
  std::chrono::milliseconds keepalive{60'000};
};

/// Speaks Arrow Flight over gRPC, with gRPC's health service, for a DatasetService. It translates
/// and decides nothing. Calls run concurrently, a thread each.
class FlightDoor {
 public:
  /// Listens and serves from now on. Errors are for whoever starts the server: they name the
  /// address and what is wrong with it.
  static arrow::Result<std::unique_ptr<FlightDoor>> Start(std::shared_ptr<DatasetService> service,
                                                          const FlightDoorOptions& options,
                                                          std::shared_ptr<Logger> logger);
  /// Shuts down without grace if that was not done yet.
  ~FlightDoor();

  /// Where it listens, with the real port.
  const std::string& uri() const { return uri_; }

  /// Turns new calls away with UNAVAILABLE, lets those under way end until the grace is over, then
  /// cancels them; returns when none is left.
  arrow::Status Shutdown(std::chrono::milliseconds grace);

 private:
  class Server;
  FlightDoor(std::unique_ptr<grpc::Service> health, std::unique_ptr<StallGuard> stall_guard,
             std::unique_ptr<Server> server, std::shared_ptr<ActiveCalls> active_calls,
             std::string uri);

  const std::unique_ptr<grpc::Service> health_;    // Outlives the server, which calls it.
  const std::unique_ptr<StallGuard> stall_guard_;  // So does this.
  const std::unique_ptr<Server> server_;
  const std::shared_ptr<ActiveCalls> active_calls_;
  const std::string uri_;
  bool running_ = true;
};

}  // namespace hangar
