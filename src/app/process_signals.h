#pragma once

#include <csignal>

namespace hangar {

/// The signals that ask the server for something, blocked in every thread that starts after this is
/// made, so that one thread can wait for them: SIGTERM and SIGINT to stop, SIGHUP to read its
/// settings again. One at a time, made on the main thread before any other runs.
class ProcessSignals {
 public:
  ProcessSignals();

  /// Waits for the next one and returns it.
  int Wait();

  /// From now on one that asks to stop ends the process at once, and SIGHUP is not heard any more.
  void Release();

 private:
  sigset_t signals_{};
};

}  // namespace hangar
