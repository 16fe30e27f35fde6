#include "app/server_app.h"

#include <sys/resource.h>
#include <version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <arrow/config.h>

#include "app/access_parts.h"
#include "app/allocator.h"
#include "app/component_options.h"
#include "app/library_messages.h"
#include "app/log.h"
#include "app/memory_plan.h"
#include "app/open_store.h"
#include "app/process_signals.h"
#include "app/service_manager.h"
#include "app/stored_totals.h"
#include "flight/grpc_log.h"
#include "history/history_keeper.h"
#include "metrics/call_metrics.h"
#include "metrics/metrics.h"
#include "metrics/process_metrics.h"
#include "peers/peer_watch.h"
#include "s3/s3_location.h"

namespace hangar {
namespace {

// How old the numbers of datasets may become that metrics show.
constexpr std::chrono::seconds kCountPause{30};

// From when a server says that it stops until it turns calls away: peers and load balancers that
// ask once a second have then turned to others, and so have the clients that they send.
constexpr std::chrono::seconds kStopNotice{3};

// Each connection, reader and upload takes a file descriptor, and what runs out of them here is the
// listener, for good (gRPC 1.51, CVE-2023-4785): take all that the system's administrator allows.
void RaiseFileLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

arrow::Status SweepStaging(ObjectStore& store, Logger& logger) {
  ARROW_ASSIGN_OR_RAISE(const SweepReport report, store.SweepStaging());
  if (report.removed_objects > 0) {
    logger.Info("removed unfinished uploads of an earlier run",
                {{"uploads", std::to_string(report.removed_objects)},
                 {"bytes", std::to_string(report.removed_bytes)}});
  }
  return arrow::Status::OK();
}

// Tells what the server begins with.
void LogWhatIsThere(const StoredTotals& totals, const HistoryTotals& purged, Logger& logger) {
  if (purged.versions > 0) {
    logger.Info("removed retired versions that are not kept any more",
                {{"versions", std::to_string(purged.versions), true},
                 {"bytes", std::to_string(purged.bytes), true}});
  }
  logger.Info("found", {{"files", std::to_string(totals.files), true},
                        {"bytes", std::to_string(totals.bytes), true},
                        {"past_versions", std::to_string(totals.history.versions), true},
                        {"past_bytes", std::to_string(totals.history.bytes), true}});
}

// Programs that start a server read these lines to learn the ports.
void SayWhere(const std::string& uri) {
  std::printf("listening on %s\n", uri.c_str());
  std::fflush(stdout);
}

// Everything that runs, in the order in which it is made; it goes in the other one.
class Server {
 public:
  Server(const ServeOptions& options, const MemoryPlan& memory,
         std::shared_ptr<AdjustableLogger> logger)
      : options_(options), memory_(memory), logger_(std::move(logger)) {}

  ~Server() { metrics_.StopAsking(); }

  arrow::Status Start() {
    ARROW_ASSIGN_OR_RAISE(access_, MakeAccessParts(options_, logger_));
    ARROW_ASSIGN_OR_RAISE(const auto store, OpenStore(options_, logger_, &metrics_));
    ARROW_RETURN_NOT_OK(SweepStaging(*store, *logger_));
    auto service_options = ServiceOptionsOf(options_, memory_);
    service_options.memory = &ArrowMemoryBudget();
    service_options.policy = access_.policy;
    service_options.audit = access_.audit;
    service_options.metrics = &metrics_;
    ARROW_ASSIGN_OR_RAISE(service_options.disk_cache, OpenDiskCache(options_, logger_));
    service_ = std::make_shared<DatasetService>(store, logger_, service_options);
    ARROW_RETURN_NOT_OK(LookAround(store));
    AddProcessMetrics(&metrics_);
    AddBuildInfo(&metrics_, {.version = kVersion,
                             .arrow = ARROW_VERSION_STRING,
                             .grpc = GrpcVersion(),
                             .compiler = __VERSION__});
    ARROW_RETURN_NOT_OK(WatchPeers());
    ARROW_RETURN_NOT_OK(OpenDoors());
    logger_->Info("serving", {{"address", flight_->uri()},
                              {"data", options_.data},
                              {"memory_mebibytes", std::to_string(memory_.limit_bytes >> 20)},
                              {"cache_mebibytes", std::to_string(memory_.cache_bytes >> 20)}});
    return arrow::Status::OK();
  }

  void Reload(const std::function<arrow::Result<ServeOptions>()>& reload) {
    access_.audit->Reopen();
    if (const auto taken = access_.policy->Reload(); !taken.ok()) {
      logger_->Error("the policy is not taken; the one before it stays in force",
                     {{"reason", taken.message()}});
    }
    const auto options = reload();
    if (!options.ok()) {
      logger_->Error("the settings are not taken", {{"reason", options.status().message()}});
      return;
    }
    logger_->SetLevel(options->log_level);
    logger_->Info("read the policy and the log's level again", {{"log_level", options->log_level}});
  }

  // Each door has the whole grace.
  arrow::Status Shutdown() {
    is_draining_ = true;
    flight_->AnnounceStop();
    if (peers_ != nullptr) {
      peers_->living()->StopNamingSelf();
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(kStopNotice, options_.grace));
    }
    arrow::Status http_closed;
    std::thread http([&] {
      if (http_ != nullptr) http_closed = http_->Shutdown(options_.grace);
    });
    arrow::Status flight_closed = flight_->Shutdown(options_.grace);
    http.join();
    ARROW_RETURN_NOT_OK(flight_closed);
    ARROW_RETURN_NOT_OK(http_closed);
    // Whoever watches sees to the end that it drains.
    if (operations_ == nullptr) return arrow::Status::OK();
    return operations_->Shutdown(std::chrono::milliseconds(0));
  }

  std::string address() const { return flight_->uri(); }

 private:
  // A walk through a bucket can take minutes, for which nobody shall wait.
  arrow::Status LookAround(const std::shared_ptr<ObjectStore>& store) {
    std::optional<StoredTotals> totals;
    if (IsS3Uri(options_.data)) {
      service_->StartSweepingHistoryLater();
    } else {
      ARROW_ASSIGN_OR_RAISE(const HistorySweepResult history, service_->StartSweepingHistory());
      ARROW_ASSIGN_OR_RAISE(totals, CountStored(*store, history.kept));
      LogWhatIsThere(*totals, history.purged, *logger_);
    }
    stored_ = std::make_unique<StoredTotalsWatch>(store, logger_, totals, kCountPause);
    stored_->ShowIn(&metrics_);
    return arrow::Status::OK();
  }

  arrow::Status WatchPeers() {
    if (options_.shared.peers.empty()) return arrow::Status::OK();
    auto watch = PeerWatchOptionsOf(options_);
    if (access_.tls.client_certificates != ClientCertificateMode::kOff) {
      watch.own_certificate = access_.tls.files;
    }
    ARROW_ASSIGN_OR_RAISE(peers_, PeerWatch::Start(watch, logger_, &metrics_));
    return arrow::Status::OK();
  }

  arrow::Status OpenDoors() {
    const auto calls = std::make_shared<CallLimits>(CallLimitsOf(options_.limits));
    const auto observer = MakeCallObserver(&metrics_, logger_);
    auto flight = FlightOptionsOf(options_, memory_);
    flight.tls = access_.tls;
    if (peers_ != nullptr) flight.peers = peers_->living();
    flight.authenticator = access_.authenticator;
    flight.calls = calls;
    flight.observer = observer;
    ARROW_ASSIGN_OR_RAISE(flight_, FlightDoor::Start(service_, flight, logger_));
    if (!options_.http.listen.empty()) {
      auto http = HttpOptionsOf(options_);
      http.tls = access_.tls;
      http.authenticator = access_.authenticator;
      http.limits = calls;
      http.observer = observer;
      ARROW_ASSIGN_OR_RAISE(http_, OpenHttp(std::move(http)));
    }
    if (!options_.http.metrics_listen.empty()) {
      ARROW_ASSIGN_OR_RAISE(operations_, OpenHttp(OperationsOptionsOf(options_)));
    }
    AddConnections(&metrics_, "flight", flight_->uri());
    if (http_ != nullptr) AddConnections(&metrics_, "http", http_->uri());
    SayWhere(flight_->uri());
    if (http_ != nullptr) SayWhere(http_->uri());
    if (operations_ != nullptr) SayWhere(operations_->uri() + "/metrics");
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<HttpDoor>> OpenHttp(HttpDoorOptions options) {
    options.metrics_text = [this] { return metrics_.Text(); };
    options.is_ready = [this] { return !is_draining_ && service_->CheckStore().ok(); };
    return HttpDoor::Start(service_, options, logger_);
  }

  const ServeOptions& options_;
  const MemoryPlan memory_;
  const std::shared_ptr<AdjustableLogger> logger_;
  std::atomic<bool> is_draining_ = false;
  Metrics metrics_;
  AccessParts access_;
  std::shared_ptr<DatasetService> service_;
  std::unique_ptr<StoredTotalsWatch> stored_;
  std::unique_ptr<PeerWatch> peers_;  // nullptr: there are none.
  std::unique_ptr<FlightDoor> flight_;
  std::unique_ptr<HttpDoor> http_;        // nullptr: there is none.
  std::unique_ptr<HttpDoor> operations_;  // Likewise.
};

}  // namespace

arrow::Status RunServer(const ServeOptions& options,
                        const std::function<arrow::Result<ServeOptions>()>& reload) {
  ARROW_ASSIGN_OR_RAISE(const MemoryPlan memory,
                        PlanMemory(options.memory_limit, options.cache_memory));
  ChooseAllocator(/*keeps_columns=*/memory.cache_bytes > 0);
  ArrowMemoryBudget().SetCapacity(memory.counted_bytes);
  ProcessSignals signals;
  RaiseFileLimit();
  const auto logger = MakeLogger(options.log_level, options.log_format);
  const LibraryMessages library_messages(logger);
  SendGrpcLogTo(logger);
  const auto service_manager = ServiceManager::FromEnvironment(logger);
  Server server(options, memory, logger);
  ARROW_RETURN_NOT_OK(server.Start());
  service_manager.Ready("listening on " + server.address());

  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) {
    service_manager.Reloading();
    server.Reload(reload);
    service_manager.Ready("listening on " + server.address());
  }
  service_manager.Stopping();
  logger->Info("stopping: letting running calls end",
               {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"},
                {"grace_milliseconds", std::to_string(options.grace.count())}});
  signals.Release();
  ARROW_RETURN_NOT_OK(server.Shutdown());
  logger->Info("stopped");
  return arrow::Status::OK();
}

}  // namespace hangar
