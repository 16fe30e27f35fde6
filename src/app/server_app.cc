#include "app/server_app.h"

#include <signal.h>
#include <sys/resource.h>

#include <cstdio>
#include <memory>
#include <string>

#include "app/allocator.h"
#include "app/log.h"
#include "app/process_memory.h"
#include "base/error.h"
#include "flight/flight_door.h"
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

}  // namespace

arrow::Status RunServer(const ServeOptions& options) {
  ChooseAllocator();
  StopSignals stop_signals;
  RaiseFileLimit();
  const auto logger = MakeLogger(options.log_level, options.log_format);
  ARROW_ASSIGN_OR_RAISE(const auto store, LocalStore::Make(options.data));
  ARROW_RETURN_NOT_OK(SweepStaging(*store, *logger));
  const int64_t cache_bytes = BytesOf(options.cache_memory);
  const auto service = std::make_shared<DatasetService>(
      store, logger, DatasetService::Options{.cache_bytes = cache_bytes});
  ARROW_ASSIGN_OR_RAISE(
      const auto door,
      FlightDoor::Start(service, {.listen = options.listen, .advertise = options.advertise},
                        logger));
  // Programs that start a server read this line to learn the port.
  std::printf("listening on %s\n", door->uri().c_str());
  std::fflush(stdout);
  logger->Info("serving", {{"address", door->uri()},
                           {"data", options.data},
                           {"cache_mebibytes", std::to_string(cache_bytes >> 20)}});

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
