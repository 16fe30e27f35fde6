#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "access/authenticator.h"
#include "base/log.h"
#include "http/http_tls.h"
#include "metrics/call_metrics.h"
#include "service/call_limits.h"
#include "service/dataset_service.h"

struct MHD_Daemon;

namespace hangar {

class ConnectionWatch;
struct HttpDoorState;

struct HttpDoorOptions {
  std::string listen;  ///< HOST:PORT; an IPv6 address in brackets; port 0: a free one.
  DoorTls tls;
  bool insecure = false;                                   ///< See DoorAddress.
  std::shared_ptr<Authenticator> authenticator = nullptr;  ///< nullptr: everybody is anonymous.
  std::shared_ptr<CallLimits> limits = nullptr;            ///< nullptr: none.
  std::shared_ptr<CallObserver> observer = nullptr;        ///< nullptr: nobody wants to know.
  std::vector<std::string> cors_origins;  ///< That browsers let read answers; "*": all.
  int64_t connections = 512;              ///< At once; of one address three quarters of them.
  int64_t upload_bytes = 1LL << 40;       ///< As UploadLimits has it.
  /// See ConnectionWatch.
  std::chrono::milliseconds stall_timeout{60'000};
  std::function<std::string()> metrics_text;  ///< Prometheus' format; empty: there is none.
  std::function<bool()> is_ready;             ///< Empty: always.
  /// Only /metrics, /healthz and /readyz, for everybody who can connect.
  bool operations_only = false;
};

/// Speaks HTTP/1.1 for a DatasetService, see docs/http.md. It translates and decides nothing. Each
/// connection has a thread.
class HttpDoor {
 public:
  /// Listens and serves from now on. `service` may be nullptr with `operations_only`. Errors are
  /// for whoever starts the server: they name the address or the file and what is wrong with it.
  static arrow::Result<std::unique_ptr<HttpDoor>> Start(std::shared_ptr<DatasetService> service,
                                                        const HttpDoorOptions& options,
                                                        std::shared_ptr<Logger> logger);
  /// Shuts down without grace if that was not done yet.
  ~HttpDoor();

  /// Where it listens, with the real port: "http://127.0.0.1:8816".
  const std::string& uri() const { return uri_; }

  /// Turns new calls away with 503, lets those under way end until the grace is over, then cuts
  /// them off; returns when none is left. Health and metrics are answered until then.
  arrow::Status Shutdown(std::chrono::milliseconds grace);

 private:
  class Server;
  HttpDoor(std::unique_ptr<Server> server, std::string uri);

  const std::unique_ptr<Server> server_;
  const std::string uri_;
};

}  // namespace hangar
