#pragma once

#include <memory>
#include <streambuf>

#include "base/log.h"

namespace hangar {

/// Sends what libraries write to std::cerr (Arrow's own log) to a logger, a warning a line, for as
/// long as it lives; the rest of standard error is as ever. One at a time; made before and
/// destroyed after all threads that may write there.
class LibraryMessages {
 public:
  explicit LibraryMessages(std::shared_ptr<Logger> logger);
  ~LibraryMessages();
  LibraryMessages(const LibraryMessages&) = delete;
  LibraryMessages& operator=(const LibraryMessages&) = delete;

 private:
  const std::unique_ptr<std::streambuf> lines_;
  std::streambuf* const before_;
};

}  // namespace hangar
