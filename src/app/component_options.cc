#include "app/component_options.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <system_error>

#include "s3/s3_location.h"

namespace hangar {

RetentionPolicy RetentionOf(const ServeOptions& options) {
  const History& history = options.history;
  RetentionPolicy policy{.ticket_ttl = history.ticket_ttl,
                         .versions = history.versions,
                         .time = history.time,
                         .bytes = history.bytes.bytes};
  if (history.bytes.percent > 0 && IsS3Uri(options.data)) {
    policy.bytes = std::numeric_limits<int64_t>::max();  // A bucket has no size.
  } else if (history.bytes.percent > 0) {
    std::error_code error;
    const auto space = std::filesystem::space(options.data, error);
    const auto capacity = error ? std::uintmax_t{0} : space.capacity;
    policy.bytes = static_cast<int64_t>(capacity / 100) * history.bytes.percent;
  }
  return policy;
}

DatasetService::Options ServiceOptionsOf(const ServeOptions& options, const MemoryPlan& memory) {
  return {.retention = RetentionOf(options),
          .footer_cache_bytes = memory.footer_cache_bytes,
          .cache_bytes = memory.cache_bytes,
          .uploads = {.bytes = options.limits.upload_bytes,
                      .columns = options.limits.columns,
                      .metadata_bytes = options.limits.metadata_bytes},
          .queue_timeout = options.queue_timeout,
          .caller_bytes_per_second = options.limits.caller_bytes_per_second};
}

CallLimits::Options CallLimitsOf(const Limits& limits) {
  return {.streams = limits.streams,
          .streams_per_caller = limits.streams_per_caller,
          .uploads = limits.uploads,
          .uploads_per_caller = limits.uploads_per_caller};
}

FlightDoorOptions FlightOptionsOf(const ServeOptions& options, const MemoryPlan& memory) {
  const Limits& limits = options.limits;
  return {.listen = options.listen,
          .advertise = options.advertise,
          .insecure = options.tls.insecure,
          .message_bytes = std::min(limits.message_bytes, memory.message_bytes),
          .connection_bytes = memory.connection_bytes,
          .stall_timeout = limits.stall_timeout,
          .keepalive = limits.keepalive};
}

PeerWatchOptions PeerWatchOptionsOf(const ServeOptions& options) {
  return {.peers = options.shared.peers,
          .self = options.advertise[0],  // CheckServeOptions sees to it.
          .authorities = options.shared.peer_ca,
          .own_certificate = nullptr};
}

HttpDoorOptions HttpOptionsOf(const ServeOptions& options) {
  return {.listen = options.http.listen,
          .insecure = options.tls.insecure,
          .cors_origins = options.http.cors_origins,
          .connections = options.http.connections,
          .upload_bytes = options.limits.upload_bytes,
          .stall_timeout = options.limits.stall_timeout};
}

HttpDoorOptions OperationsOptionsOf(const ServeOptions& options) {
  return {.listen = options.http.metrics_listen,
          .connections = options.http.connections,
          .stall_timeout = options.limits.stall_timeout,
          .operations_only = true};
}

}  // namespace hangar
