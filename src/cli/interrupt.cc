#include "cli/interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

namespace hangar::cli {

InterruptGuard::InterruptGuard(std::function<void()> clean_up) : clean_up_(std::move(clean_up)) {
  sigemptyset(&watched_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action{};
    sigaction(signal, nullptr, &action);
    // What the parent chose to ignore (nohup, a shell's background job) stays ignored.
    if (action.sa_handler != SIG_IGN) sigaddset(&watched_, signal);
  }
  signals_ = UniqueDescriptor(signalfd(-1, &watched_, SFD_CLOEXEC));
  ended_ = UniqueDescriptor(eventfd(0, EFD_CLOEXEC));
  // Out of descriptors, signals end the process as ever.
  if (!signals_.is_open() || !ended_.is_open()) return;
  pthread_sigmask(SIG_BLOCK, &watched_, &before_);
  watcher_ = std::thread([this] { Watch(); });
}

InterruptGuard::~InterruptGuard() {
  if (!watcher_.joinable()) return;
  const uint64_t one = 1;
  while (write(ended_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void InterruptGuard::Watch() {
  std::array<pollfd, 2> polled = {pollfd{signals_.get(), POLLIN, 0},
                                  pollfd{ended_.get(), POLLIN, 0}};
  while (poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  signalfd_siginfo info{};
  if ((polled[0].revents & POLLIN) == 0 ||
      read(signals_.get(), &info, sizeof(info)) != sizeof(info)) {
    return;
  }
  clean_up_();
  const int signal = static_cast<int>(info.ssi_signo);
  std::signal(signal, SIG_DFL);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, signal);
  pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
  raise(signal);
}

}  // namespace hangar::cli
