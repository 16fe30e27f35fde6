#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/log.h"

namespace hangar {

/// Tells the service manager that started the process how it is doing, by the protocol of
/// sd_notify(3): datagrams to the socket that the environment's NOTIFY_SOCKET names. Without such a
/// variable it does nothing. What cannot be sent is said in the log and is no reason to stop: the
/// manager then notices by itself. Thread-safe.
class ServiceManager {
 public:
  /// `socket` is a path, or "@NAME" for an abstract one; empty: nobody is told.
  ServiceManager(std::string socket, std::shared_ptr<Logger> logger);

  /// The one that NOTIFY_SOCKET names. Takes the variable away, so that no child answers for this
  /// process; to be called before threads are started.
  static ServiceManager FromEnvironment(std::shared_ptr<Logger> logger);

  /// The server listens, or has read its settings again. `status` is for people.
  void Ready(std::string_view status) const;
  /// It reads its settings again; Ready follows, whether they were good or not.
  void Reloading() const;
  /// It stops.
  void Stopping() const;

 private:
  void Send(std::string_view message) const;

  const std::string socket_;
  const std::shared_ptr<Logger> logger_;
};

}  // namespace hangar
