#pragma once

#include <string>

namespace hangar {

class Metrics;

/// What of this process Prometheus' own libraries show under the same names
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), and its threads.
/// Read from /proc/self when somebody looks; what cannot be read is 0.
void AddProcessMetrics(Metrics* metrics);

/// The connections that clients hold to the address that this process listens on, which is an URI
/// with a port at its end ("grpc://127.0.0.1:8815") or, with "unix:" before its path, a socket's.
/// Asked of the kernel, descriptor by descriptor, when somebody looks.
void AddConnections(Metrics* metrics, const std::string& door, const std::string& uri);

/// What the program is made of, as labels of a 1: `hangar_build_info`.
struct BuildInfo {
  std::string version;
  std::string arrow;
  std::string grpc;
  std::string compiler;
};
void AddBuildInfo(Metrics* metrics, const BuildInfo& info);

}  // namespace hangar
