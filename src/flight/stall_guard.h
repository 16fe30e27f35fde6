#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"

namespace grpc::experimental {
class ServerInterceptorFactoryInterface;
}

namespace hangar {

/// Ends calls whose clients stall: that take nothing of a message that is being sent to them, or
/// send nothing of one that is waited for. Such a call ends with DEADLINE_EXCEEDED and gives back
/// its thread, its memory and its place. gRPC has no timeout for one message; this notes when each
/// begins to be waited for, and one thread looks at those that wait. What the server takes for its
/// own work between two messages never counts.
///
/// A message that still moves is left alone, however large it is and however slow its network: the
/// kernel tells how much of a TCP connection's bytes went through. Of a Unix socket it does not
/// tell, so there a whole message has to go through in time.
///
///   StallGuard guard(std::chrono::seconds(60), logger);
///   ... SetInterceptorCreators({guard.MakeInterceptor(), ...})
///
/// Thread-safe. It must outlive the gRPC server.
class StallGuard {
 public:
  /// A call is ended after between 1 and 1.25 `timeout` without progress. Nor may one message take
  /// longer than 16 times that: on a connection that other calls keep busy, progress says nothing
  /// of this one.
  StallGuard(std::chrono::milliseconds timeout, std::shared_ptr<Logger> logger);
  ~StallGuard();

  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptor();

 private:
  class Call;
  class Factory;
  struct Stalled;
  using Clock = std::chrono::steady_clock;

  void Watch() HANGAR_EXCLUDES(mutex_);
  /// Waits for a quarter of the timeout; longer while there are no calls. False at the end.
  bool WaitToLook() HANGAR_EXCLUDES(mutex_);
  void Look(Clock::time_point now) HANGAR_EXCLUDES(mutex_);
  void End(const Stalled& stalled);

  const Clock::duration timeout_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  CondVar changed_;
  std::set<Call*> calls_ HANGAR_GUARDED_BY(mutex_);
  bool stopping_ HANGAR_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace hangar
