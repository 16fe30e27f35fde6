#include "http/connection_watch.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <utility>

namespace hangar {
namespace {

// Bytes that went through in both directions; 0 where the kernel does not tell.
int64_t MovedBytes(int descriptor) {
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return 0;
  return static_cast<int64_t>(info.tcpi_bytes_acked + info.tcpi_bytes_received);
}

}  // namespace

ConnectionWatch::Connection::Connection(ConnectionWatch* watch, int descriptor)
    : watch_(watch), descriptor_(descriptor), since_(Clock::now().time_since_epoch()) {
  const MutexLock lock(watch_->mutex_);
  watch_->connections_.insert(this);
}

ConnectionWatch::Connection::~Connection() { Leave(); }

void ConnectionWatch::Connection::Leave() {
  const MutexLock lock(watch_->mutex_);
  watch_->connections_.erase(this);
}

void ConnectionWatch::Connection::Become(State state) {
  since_.store(Clock::now().time_since_epoch(), std::memory_order_relaxed);
  state_.store(state, std::memory_order_release);
}

bool ConnectionWatch::Connection::IsStalled(Clock::time_point now, Clock::duration timeout) {
  const State state = state_.load(std::memory_order_acquire);
  const Clock::time_point since(since_.load(std::memory_order_relaxed));
  if (state == State::kWork) return false;
  if (state == State::kRequest) return now - since > timeout;
  const int64_t moved_bytes = MovedBytes(descriptor_);
  if (moved_bytes != moved_bytes_) {
    moved_bytes_ = moved_bytes;
    moved_at_ = now;
  }
  return now - std::max(since, moved_at_) > timeout;
}

ConnectionWatch::ConnectionWatch(std::chrono::milliseconds timeout, std::shared_ptr<Logger> logger)
    : timeout_(timeout), logger_(std::move(logger)), watcher_([this] { Watch(); }) {}

ConnectionWatch::~ConnectionWatch() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  watcher_.join();
}

void ConnectionWatch::Watch() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    const auto next = Clock::now() + timeout_ / 4;
    while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
    }
    if (!stopping_) Look();
  }
}

void ConnectionWatch::Look() {
  const auto now = Clock::now();
  int64_t ended = 0;
  for (Connection* const connection : connections_) {
    if (!connection->IsStalled(now, timeout_)) continue;
    // Whoever serves the connection learns of it and closes it.
    ::shutdown(connection->descriptor_, SHUT_RDWR);
    ++ended;
  }
  if (ended > 0 && logger_->Logs(LogLevel::kDebug)) {
    logger_->Write(LogLevel::kDebug, "ended connections of HTTP clients that stalled",
                   {{"connections", std::to_string(ended)}});
  }
}

}  // namespace hangar
