#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "cache/byte_cache.h"
#include "read/column_segment.h"
#include "read/file_layout.h"

namespace hangar {

class ColumnChunkPass;
class StoredFile;

/// What readers share: decoded segments of columns, the passes that decode more of them, and the
/// layouts of files. Thread-safe.
class SegmentCache {
 public:
  struct Options {
    int64_t capacity_bytes = 0;         ///< Of segments kept; with 0 nothing decoded is shared.
    int64_t segment_bytes = 1LL << 20;  ///< About what segments of all columns of a file take.
  };

  explicit SegmentCache(const Options& options);
  ~SegmentCache();

  /// nullptr when it is not here.
  std::shared_ptr<const ColumnSegment> Find(const ColumnSegmentKey& key);
  /// As Find, see ByteCache::FindAgain.
  std::shared_ptr<const ColumnSegment> FindAgain(const ColumnSegmentKey& key);
  void Insert(const ColumnSegmentKey& key, std::shared_ptr<const ColumnSegment> segment);

  /// The pass through a column chunk that is under way, or a new one: never `used_up`, which may be
  /// null.
  std::shared_ptr<ColumnChunkPass> JoinPass(const std::shared_ptr<StoredFile>& file, int row_group,
                                            int field, const ColumnChunkPass* used_up)
      HANGAR_EXCLUDES(mutex_);

  /// The layout of a file, remembered by its version.
  std::shared_ptr<const FileLayout> LayoutOf(const std::string& version, const Footer& footer);

  /// Lets go of segments of about so many bytes, the least useful first; 0 when there are none
  /// left.
  int64_t Release(int64_t bytes) { return segments_.Release(bytes); }

  /// Lets go of all segments.
  void Clear() { segments_.Clear(); }

  int64_t charged_bytes() { return segments_.charged_bytes(); }
  int64_t capacity_bytes() const { return segments_.capacity_bytes(); }
  CacheStats stats() { return segments_.stats(); }

 private:
  void ForgetEndedPasses() HANGAR_REQUIRES(mutex_);

  const int64_t segment_bytes_;
  ByteCache<ColumnSegment, ColumnSegmentKey, ColumnKeyHash> segments_;
  ByteCache<FileLayout> layouts_;

  Mutex mutex_;
  // Held by the scans that use them.
  std::unordered_map<ColumnChunkKey, std::weak_ptr<ColumnChunkPass>, ColumnKeyHash> passes_
      HANGAR_GUARDED_BY(mutex_);
  size_t forget_at_ HANGAR_GUARDED_BY(mutex_) = 0;
};

}  // namespace hangar
