#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/authenticator.h"
#include "access/tls_files.h"
#include "base/log.h"
#include "metrics/call_metrics.h"
#include "peers/peer_locations.h"
#include "service/call_limits.h"
#include "service/dataset_service.h"

namespace hangar {

struct ListenAddress;

struct FlightDoorOptions {
  /// Where to listen: grpc://HOST:PORT (port 0: a free one), grpc+tls://HOST:PORT, which is the
  /// same where there is a certificate, or grpc+unix:///PATH.
  std::string listen;
  /// What endpoints name as their locations; empty: the connection that asked.
  std::vector<std::string> advertise;
  /// Who gives what of reads in partitions; nullptr: this server gives all.
  std::shared_ptr<const PeerLocations> peers;
  DoorTls tls;  ///< Of a TCP address; a Unix socket is never encrypted.
  /// Says that callers may show who they are in plain text, see CheckEncryption.
  bool insecure = false;
  std::shared_ptr<Authenticator> authenticator;  ///< nullptr: nobody is asked who they are.
  std::shared_ptr<CallLimits> calls;             ///< Of all doors together.
  std::shared_ptr<CallObserver> observer;        ///< Is told of each call.
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
  const std::string& uri() const;

  /// Says from now on to whoever asks for the server's health that it does not serve, while it
  /// still takes calls: so that peers and load balancers turn away before it turns them away.
  void AnnounceStop();

  /// Turns new calls away with UNAVAILABLE, lets those under way end until the grace is over, then
  /// cancels them; returns when none is left.
  arrow::Status Shutdown(std::chrono::milliseconds grace);

 private:
  class Server;
  struct Parts;
  explicit FlightDoor(std::unique_ptr<Parts> parts);
  static arrow::Status StartServer(const ListenAddress& address, const FlightDoorOptions& options,
                                   const std::shared_ptr<Logger>& logger, Parts& parts);

  const std::unique_ptr<Parts> parts_;
  bool running_ = true;
};

}  // namespace hangar
