#include "app/process_signals.h"

namespace hangar {

ProcessSignals::ProcessSignals() {
  // A reader of standard output that left, or a limit on file sizes, is no reason to die: the
  // write's error says it.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGHUP);
  ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

int ProcessSignals::Wait() {
  int signal = 0;
  while (::sigwait(&signals_, &signal) != 0) {
  }
  return signal;
}

void ProcessSignals::Release() {
  ::signal(SIGTERM, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGHUP, SIG_IGN);
  ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
}

}  // namespace hangar
