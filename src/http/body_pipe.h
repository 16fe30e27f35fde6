#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/io/interfaces.h>

#include "base/mutex.h"

namespace hangar {

/// Carries a request's body from the thread that receives it to one that reads it as a stream of
/// Arrow's. Whoever writes waits while 1 MiB is unread. Each side is used by one thread at a time.
class BodyPipe final : public arrow::io::InputStream {
 public:
  // For the writer.

  /// False when nobody reads any more.
  bool Write(std::string_view bytes) HANGAR_EXCLUDES(mutex_);
  /// The body is whole: after what was written the reader finds its end.
  void Finish() HANGAR_EXCLUDES(mutex_);
  /// The body will not become whole: the reader gets CANCELLED.
  void BreakOff() HANGAR_EXCLUDES(mutex_);

  // For the reader.

  arrow::Result<int64_t> Read(int64_t length, void* out) override HANGAR_EXCLUDES(mutex_);
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override
      HANGAR_EXCLUDES(mutex_);
  arrow::Result<int64_t> Tell() const override HANGAR_EXCLUDES(mutex_);
  /// Nobody reads any more.
  arrow::Status Close() override HANGAR_EXCLUDES(mutex_);
  bool closed() const override HANGAR_EXCLUDES(mutex_);

 private:
  enum class End { kOpen, kWhole, kBrokenOff };

  mutable Mutex mutex_;
  CondVar changed_;
  std::string waiting_ HANGAR_GUARDED_BY(mutex_);
  size_t taken_ HANGAR_GUARDED_BY(mutex_) = 0;  // Of `waiting_`.
  int64_t position_ HANGAR_GUARDED_BY(mutex_) = 0;
  End end_ HANGAR_GUARDED_BY(mutex_) = End::kOpen;
  bool is_closed_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
