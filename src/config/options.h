#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hangar {

enum class LogFormat { kText, kJson };

/// An amount of memory: `bytes`, or, where `percent` is not 0, that part of what the process may
/// use.
struct MemoryAmount {
  int64_t bytes = 0;
  int percent = 0;

  bool operator==(const MemoryAmount&) const = default;
};

/// What `hangar serve` runs with.
struct ServeOptions {
  /// The folder whose Parquet files are the datasets; made when it is missing.
  std::string data = "./datasets";
  /// Where to listen: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH.
  std::string listen = "grpc://0.0.0.0:8815";
  /// Addresses that endpoints name for clients; empty: the connection that asked.
  std::vector<std::string> advertise;
  /// How much of what reads decode is kept in memory for the next ones.
  MemoryAmount cache_memory{.percent = 25};
  /// The least severe messages that are logged: "debug", "info", "warning" or "error".
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
  /// How long running calls may go on after a signal to stop.
  std::chrono::milliseconds grace{30'000};
};

}  // namespace hangar
