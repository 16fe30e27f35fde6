#pragma once

#include <chrono>
#include <cstdint>

namespace grpc {
class ServerBuilder;
}

namespace hangar {

/// What gRPC itself holds clients to.
struct ServerLimits {
  int64_t streams = 0;           ///< Calls under way at once that CallLimits lets begin.
  int64_t message_bytes = 0;     ///< Of one message from a client; 2 GiB - 1 at most.
  int64_t connection_bytes = 0;  ///< Of all connections' buffers, about.
  /// A connection that was silent for so long must answer a ping within 20 seconds, or is closed.
  std::chrono::milliseconds keepalive{};
};

/// Sets them, and the limits that have no setting.
void SetServerLimits(const ServerLimits& limits, grpc::ServerBuilder& builder);

}  // namespace hangar
