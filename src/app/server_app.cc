#include "app/server_app.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "app/allocator.h"
#include "app/log.h"
#include "app/memory_plan.h"
#include "base/error.h"
#include "flight/flight_door.h"
#include "history/history_keeper.h"
#include "service/dataset_service.h"
#include "store/local_store.h"

namespace hangar {
namespace {

// The signals that ask the server to stop, blocked in every thread that starts after this, so that
// one thread can wait for them.
class StopSignals {
 public:
  StopSignals() {
    // A reader of standard output that left, or a limit on file sizes, is no reason to die: the
    // write's error says it.
    ::signal(SIGPIPE, SIG_IGN);
    ::signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  int Wait() {
    int signal = 0;
    while (::sigwait(&signals_, &signal) != 0) {
    }
    return signal;
  }

  // From now on a further signal ends the process at once.
  void Release() {
    ::signal(SIGTERM, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  }

 private:
  sigset_t signals_{};
};

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

// What the settings keep of the past, where the data folder is.
RetentionPolicy RetentionOf(const ServeOptions& options) {
  const History& history = options.history;
  RetentionPolicy policy{.ticket_ttl = history.ticket_ttl,
                         .versions = history.versions,
                         .time = history.time,
                         .bytes = history.bytes.bytes};
  if (history.bytes.percent > 0) {
    std::error_code error;
    const auto space = std::filesystem::space(options.data, error);
    const auto capacity = error ? std::uintmax_t{0} : space.capacity;
    policy.bytes = static_cast<int64_t>(capacity / 100) * history.bytes.percent;
  }
  return policy;
}

// Tells what the server begins with. Files that turn out not to be Parquet are counted, too: to
// know better would take a look into each.
arrow::Status LogWhatIsThere(ObjectStore& store, const HistorySweepResult& history,
                             Logger& logger) {
  int64_t files = 0;
  int64_t bytes = 0;
  ARROW_ASSIGN_OR_RAISE(const auto lister, store.List({}));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto object, lister->Next());
    if (!object) break;
    ++files;
    bytes += object->size_bytes;
  }
  if (history.purged.versions > 0) {
    logger.Info("removed retired versions that are not kept any more",
                {{"versions", std::to_string(history.purged.versions)},
                 {"bytes", std::to_string(history.purged.bytes)}});
  }
  logger.Info("found", {{"files", std::to_string(files)},
                        {"bytes", std::to_string(bytes)},
                        {"past_versions", std::to_string(history.kept.versions)},
                        {"past_bytes", std::to_string(history.kept.bytes)}});
  return arrow::Status::OK();
}

UploadLimits UploadLimitsOf(const Limits& limits) {
  return {.bytes = limits.upload_bytes,
          .columns = limits.columns,
          .metadata_bytes = limits.metadata_bytes};
}

FlightDoorOptions DoorOptions(const ServeOptions& options, const MemoryPlan& memory) {
  const Limits& limits = options.limits;
  return {.listen = options.listen,
          .advertise = options.advertise,
          .calls = {.streams = limits.streams,
                    .streams_per_caller = limits.streams_per_caller,
                    .uploads = limits.uploads},
          .message_bytes = std::min(limits.message_bytes, memory.message_bytes),
          .connection_bytes = memory.connection_bytes,
          .stall_timeout = limits.stall_timeout,
          .keepalive = limits.keepalive};
}

}  // namespace

arrow::Status RunServer(const ServeOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const MemoryPlan memory,
                        PlanMemory(options.memory_limit, options.cache_memory));
  ChooseAllocator(/*keeps_columns=*/memory.cache_bytes > 0);
  ArrowMemoryBudget().SetCapacity(memory.counted_bytes);
  StopSignals stop_signals;
  RaiseFileLimit();
  const auto logger = MakeLogger(options.log_level, options.log_format);
  ARROW_ASSIGN_OR_RAISE(const auto store, LocalStore::Make(options.data));
  ARROW_RETURN_NOT_OK(SweepStaging(*store, *logger));
  const auto service = std::make_shared<DatasetService>(
      store, logger,
      DatasetService::Options{.retention = RetentionOf(options),
                              .footer_cache_bytes = memory.footer_cache_bytes,
                              .cache_bytes = memory.cache_bytes,
                              .uploads = UploadLimitsOf(options.limits),
                              .memory = &ArrowMemoryBudget(),
                              .queue_timeout = options.queue_timeout});
  ARROW_ASSIGN_OR_RAISE(const HistorySweepResult history, service->StartSweepingHistory());
  ARROW_RETURN_NOT_OK(LogWhatIsThere(*store, history, *logger));
  ARROW_ASSIGN_OR_RAISE(const auto door,
                        FlightDoor::Start(service, DoorOptions(options, memory), logger));
  // Programs that start a server read this line to learn the port.
  std::printf("listening on %s\n", door->uri().c_str());
  std::fflush(stdout);
  logger->Info("serving", {{"address", door->uri()},
                           {"data", options.data},
                           {"memory_mebibytes", std::to_string(memory.limit_bytes >> 20)},
                           {"cache_mebibytes", std::to_string(memory.cache_bytes >> 20)}});

  const int signal = stop_signals.Wait();
  logger->Info("stopping: letting running calls end",
               {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"},
                {"grace_milliseconds", std::to_string(options.grace.count())}});
  stop_signals.Release();
  ARROW_RETURN_NOT_OK(door->Shutdown(options.grace));
  logger->Info("stopped");
  return arrow::Status::OK();
}

}  // namespace hangar
