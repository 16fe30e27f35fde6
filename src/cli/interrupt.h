#pragma once

#include <csignal>
#include <functional>
#include <thread>

#include "base/unique_descriptor.h"

namespace hangar::cli {

/// While it lives, SIGINT, SIGTERM and SIGHUP run `clean_up`, on a thread of its own, before they
/// end the process the way they always do. Threads that were started before are not covered: open
/// it first.
class InterruptGuard {
 public:
  explicit InterruptGuard(std::function<void()> clean_up);

  /// A signal that arrives from now on does what it did before.
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  void Watch();

  const std::function<void()> clean_up_;
  sigset_t watched_{};
  sigset_t before_{};
  UniqueDescriptor signals_;  // signalfd
  UniqueDescriptor ended_;    // eventfd
  std::thread watcher_;
};

}  // namespace hangar::cli
