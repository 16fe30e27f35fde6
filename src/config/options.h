#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hangar {

enum class LogFormat { kText, kJson };

/// What `hangar serve` runs with.
struct ServeOptions {
  /// The folder whose Parquet files are the datasets; made when it is missing.
  std::string data = "./datasets";
  /// Where to listen: grpc://HOST:PORT (port 0: a free one) or grpc+unix:///PATH.
  std::string listen = "grpc://0.0.0.0:8815";
  /// Addresses that endpoints name for clients; empty: the connection that asked.
  std::vector<std::string> advertise;
  /// The least severe messages that are logged: "debug", "info", "warning" or "error".
  std::string log_level = "info";
  LogFormat log_format = LogFormat::kText;
  /// How long running calls may go on after a signal to stop.
  std::chrono::milliseconds grace{30'000};
};

}  // namespace hangar
