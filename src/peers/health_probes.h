#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/flight_address.h"
#include "peers/living_peers.h"

namespace hangar {

/// With what encrypted connections to peers are made, PEM.
struct PeerTls {
  std::string authorities;  ///< Whose signature makes a certificate good; empty: the system's.
  std::string certificate;  ///< Shown to peers who ask for one; empty: none.
  std::string key;          ///< Of the certificate.

  bool operator==(const PeerTls&) const = default;
};

/// What became of one question.
struct ProbeResult {
  std::string uri;
  PeerHealth health = PeerHealth::kUnreachable;
  std::string reason;  ///< What gRPC says of one that did not answer; for the log.
};

/// Asks servers by gRPC's health check (`grpc.health.v1.Health/Check`) how they are, as many at
/// once as wanted, without a thread for any of them. A server keeps its connection from one
/// question to the next; one that did not answer in time gets a new one, as the old one may lead
/// nowhere for minutes to come. For one thread.
class HealthProbes {
 public:
  HealthProbes();
  /// Ends what is under way.
  ~HealthProbes();
  HealthProbes(const HealthProbes&) = delete;
  HealthProbes& operator=(const HealthProbes&) = delete;

  /// Sets what encrypted connections are made with; when that changes all are made anew.
  void SetTls(PeerTls tls);

  /// Asks. It takes `timeout` at most. A server may be asked again once its result came.
  void Begin(const FlightAddress& address, std::chrono::milliseconds timeout);

  /// What became of one of those that were asked; waits for it until `time`, nullopt then.
  std::optional<ProbeResult> Next(std::chrono::system_clock::time_point time);

  /// Lets the connection to a server go that is not being asked.
  void Forget(const std::string& uri);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
};

}  // namespace hangar
