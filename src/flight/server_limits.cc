#include "flight/server_limits.h"

#include <algorithm>
#include <limits>

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

namespace hangar {
namespace {

// What has no setting.
constexpr int kHeaderBytesMax = 64 << 10;      // Of a call's metadata; gRPC's own limit is 8 KiB.
constexpr int kStreamsPerConnection = 1'000;   // More calls wait at the client.
constexpr int kThreadsBesidesStreams = 1'024;  // For calls that only ask or act.
constexpr int kHandshakeMilliseconds = 20'000;
// How long a ping may go unanswered, and how long sent bytes may stay unacknowledged. Idle clients
// of gRPC's C library look at their connection every five seconds only.
constexpr int kPingWaitMilliseconds = 20'000;
constexpr int kClientPingMilliseconds = 5'000;  // Clients that ping more often are turned away.

// What a client may send ahead: enough for 80 MB/s at a distance of 100 ms, where there is memory.
constexpr int64_t kWindowBytesMax = 8LL << 20;
constexpr int64_t kWindowBytesMin = 64LL << 10;
constexpr int64_t kSendersAtFullSpeed = 64;

int AsInt(int64_t value) {
  return static_cast<int>(std::min<int64_t>(value, std::numeric_limits<int>::max()));
}

}  // namespace

void SetServerLimits(const ServerLimits& limits, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(AsInt(limits.message_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kHeaderBytesMax);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, AsInt(limits.keepalive.count()));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kPingWaitMilliseconds);
  // A connection without calls is asked as well, and as often as it takes.
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kClientPingMilliseconds);
  // Each call takes a thread. Those that are no streams are not counted by CallLimits.
  grpc::ResourceQuota quota("hangar");
  quota.SetMaxThreads(AsInt(limits.streams + kThreadsBesidesStreams));
  // What was received and not taken yet: near it gRPC lets clients send less ahead, beyond it it
  // ends calls with RESOURCE_EXHAUSTED.
  quota.Resize(static_cast<size_t>(limits.connection_bytes));
  // How far ahead of the server a client may send, of a fixed size: what gRPC makes of it by its
  // measurements grew to 60 MiB a stream.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES,
                             AsInt(std::clamp(limits.connection_bytes / kSendersAtFullSpeed,
                                              kWindowBytesMin, kWindowBytesMax)));
  builder.SetResourceQuota(quota);
}

}  // namespace hangar
