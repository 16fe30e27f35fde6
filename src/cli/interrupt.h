#pragma once

#include <csignal>
#include <functional>
#include <thread>

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
  int signals_ = -1;  // signalfd
  int ended_ = -1;    // eventfd
  std::thread watcher_;
};

}  // namespace hangar::cli
