#pragma once

#include <memory>
#include <string>

#include <arrow/result.h>

namespace hangar {

/// The path of a Unix socket that nobody else can reach: in a new folder of our user alone, which
/// goes with this object. Flight opens a port of its own, unencrypted, whatever other ports a
/// server has; that one is put here, and out of the way as soon as the server has started.
class PrivateSocket {
 public:
  /// FAILED_PRECONDITION where no folder for temporary files can be written to.
  static arrow::Result<std::unique_ptr<PrivateSocket>> Make();
  /// Removes the folder and the socket in it; who listens on it is not told.
  ~PrivateSocket();
  PrivateSocket(const PrivateSocket&) = delete;
  PrivateSocket& operator=(const PrivateSocket&) = delete;

  const std::string& path() const { return path_; }

 private:
  explicit PrivateSocket(std::string folder);

  const std::string folder_;
  const std::string path_;
};

}  // namespace hangar
