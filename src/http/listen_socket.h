#pragma once

#include <string>

#include <arrow/result.h>

#include "base/host_port.h"

namespace hangar {

/// A TCP socket that listens. Closed when it goes, unless it was released.
class ListenSocket {
 public:
  /// "[::]" takes IPv4 as well. Errors say what is wrong with the address.
  static arrow::Result<ListenSocket> Open(const HostPort& address);
  ~ListenSocket();
  ListenSocket(ListenSocket&& other) noexcept : fd_(other.Release()), port_(other.port_) {}
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int port() const { return port_; }  ///< The real one.
  int fd() const { return fd_; }
  /// From now on it is the caller's to close.
  int Release();

 private:
  ListenSocket(int fd, int port) : fd_(fd), port_(port) {}

  int fd_;
  int port_;
};

}  // namespace hangar
