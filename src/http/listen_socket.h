#pragma once

#include <utility>

#include <arrow/result.h>

#include "base/host_port.h"
#include "base/unique_descriptor.h"

namespace hangar {

/// A TCP socket that listens. Closed when it goes, unless it was released.
class ListenSocket {
 public:
  /// "[::]" takes IPv4 as well. Errors say what is wrong with the address.
  static arrow::Result<ListenSocket> Open(const HostPort& address);

  int port() const { return port_; }  ///< The real one.
  int fd() const { return socket_.get(); }
  /// From now on it is the caller's to close.
  int Release() { return socket_.release(); }

 private:
  ListenSocket(UniqueDescriptor socket, int port) : socket_(std::move(socket)), port_(port) {}

  UniqueDescriptor socket_;
  int port_;
};

}  // namespace hangar
