#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include <arrow/result.h>

#include "base/mutex.h"
#include "read/column_segment.h"

namespace hangar {

class ColumnDecoder;
class SegmentCache;
class StoredFile;

/// One way through a column chunk, from its first row to its last: decodes segment after segment
/// and puts them into the cache. Scans that are at about the same place share one, so that each
/// segment is decoded once for all of them. Thread-safe.
class ColumnChunkPass {
 public:
  ColumnChunkPass(std::shared_ptr<StoredFile> file, int row_group, int field);
  ~ColumnChunkPass();

  /// The segment, in the column's logical type; those before it that were not decoded are passed
  /// over. nullptr when the pass is beyond it already, or failed for an earlier caller: it then
  /// takes another pass. Blocks while another thread decodes.
  arrow::Result<std::shared_ptr<const ColumnSegment>> Decode(int64_t segment, SegmentCache& cache)
      HANGAR_EXCLUDES(mutex_);

  /// Whether it ended with an error. Never blocks.
  bool failed() const { return failed_; }

 private:
  arrow::Result<std::shared_ptr<const ColumnSegment>> DecodeNext(int64_t segment)
      HANGAR_REQUIRES(mutex_);
  arrow::Result<std::shared_ptr<const ColumnSegment>> DecodeFromBegin(int64_t segment)
      HANGAR_REQUIRES(mutex_);
  arrow::Result<std::shared_ptr<const ColumnSegment>> ToSegment(arrow::ArrayVector stored) const;

  const std::shared_ptr<StoredFile> file_;
  const int row_group_;
  const int field_;
  const int64_t rows_;

  std::atomic<bool> failed_ = false;  // Set under the mutex.

  Mutex mutex_;
  std::unique_ptr<ColumnDecoder> decoder_ HANGAR_GUARDED_BY(mutex_);
  int64_t next_segment_ HANGAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace hangar
