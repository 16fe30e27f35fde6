#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"

namespace hangar {

/// Ends connections whose clients stall: that take longer than a timeout to send a request's
/// headers (or the next request on a connection that is kept open), or that in the middle of a body
/// neither take nor send anything for so long. A body that still moves is left alone, however slow
/// its network is: the kernel tells how many of a connection's bytes went through. What the server
/// takes for its own work never counts. Thread-safe.
class ConnectionWatch {
  using Clock = std::chrono::steady_clock;

 public:
  /// A connection, watched from when it is made. One thread at a time.
  class Connection {
   public:
    Connection(ConnectionWatch* watch, int descriptor);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    int descriptor() const { return descriptor_; }
    /// Its descriptor is about to be closed: it is not watched any more.
    void Leave();

    /// The client has to send a request from now on.
    void WaitForRequest() { Become(State::kRequest); }
    /// The server works.
    void Work() { Become(State::kWork); }
    /// The client has to send or take a body from now on.
    void MoveBody() { Become(State::kBody); }

   private:
    friend class ConnectionWatch;
    enum class State { kRequest, kWork, kBody };

    void Become(State state);
    /// Called by the one thread that watches. True when the time is over.
    bool IsStalled(Clock::time_point now, Clock::duration timeout);

    ConnectionWatch* const watch_;
    const int descriptor_;
    std::atomic<State> state_ = State::kRequest;
    std::atomic<Clock::duration> since_;  // When it came into its state, on Clock.
    // Of the watching thread alone.
    int64_t moved_bytes_ = 0;
    Clock::time_point moved_at_{};
  };

  ConnectionWatch(std::chrono::milliseconds timeout, std::shared_ptr<Logger> logger);
  /// No connection may be left.
  ~ConnectionWatch();
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

 private:
  void Watch() HANGAR_EXCLUDES(mutex_);
  void Look() HANGAR_REQUIRES(mutex_);

  const Clock::duration timeout_;
  const std::shared_ptr<Logger> logger_;
  Mutex mutex_;
  CondVar changed_;
  std::set<Connection*> connections_ HANGAR_GUARDED_BY(mutex_);
  bool stopping_ HANGAR_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
};

}  // namespace hangar
