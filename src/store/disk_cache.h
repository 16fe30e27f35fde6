#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arrow/result.h>

#include "base/log.h"
#include "base/mutex.h"
#include "base/unique_descriptor.h"

namespace hangar {

/// Keeps parts of remote objects in files on a local disk, across restarts, within a number of
/// bytes. What it gives was verified: a part is written with its name and a checksum (XXH3), and
/// one whose bytes are wrong, or gone, is dropped and counts as not there. Nothing here fails a
/// read: where the disk fails, or is full, the cache does without it, and says so in the log once.
///
/// Parts are appended to files of equal size, the segments. When there is no room the oldest one
/// goes; those of its parts that were used since they were written are written anew, up to half
/// of the segment, so that what is used again and again stays (a second chance, as in CLOCK). It
/// never syncs: what a crash of the machine tears off is found by its checksum.
///
/// One process at a time has a folder. Thread-safe; calls block on the disk.
class DiskCache {
 public:
  struct Options {
    std::string folder;          ///< Made when it is missing, for its owner alone.
    int64_t capacity_bytes = 0;  ///< Of all files.
    std::string origin;  ///< Which store the objects are in: its address, bucket and prefix.
  };

  /// Finds what an earlier process left. FAILED_PRECONDITION, for whoever starts the server, when
  /// another process has the folder, it cannot be used, or others may write to it.
  static arrow::Result<std::shared_ptr<DiskCache>> Open(const Options& options,
                                                        std::shared_ptr<Logger> logger);
  ~DiskCache();

  /// A part of one version of an object. It is found as what it was inserted as, and only so.
  struct Unit {
    std::string_view key;
    std::string_view version;
    int64_t offset = 0;
    int64_t length = 0;
  };

  /// Whether it was there a moment ago. Does not look at the disk.
  bool Has(const Unit& unit) HANGAR_EXCLUDES(mutex_);

  /// Reads all of it into `out`. False when it is not there, or not whole; what is in `out` is then
  /// to be thrown away.
  bool Read(const Unit& unit, void* out) HANGAR_EXCLUDES(mutex_);

  /// Keeps `unit.length` bytes, if it can.
  void Insert(const Unit& unit, const void* bytes) HANGAR_EXCLUDES(mutex_, append_mutex_);

  /// Forgets a part whose bytes were wrong already when they came here, also for later processes.
  void Discard(const Unit& unit) HANGAR_EXCLUDES(mutex_, append_mutex_);

  struct Stats {
    int64_t hits = 0;
    int64_t misses = 0;
    int64_t evictions = 0;  ///< Parts that left to make room.
    int64_t errors = 0;     ///< Parts that were damaged, and calls that the disk failed.
  };
  Stats stats() const;
  /// So many parts were looked for and had to be fetched.
  void NoteMisses(int64_t units) { misses_ += units; }
  /// Of all files.
  int64_t bytes() const { return bytes_; }
  int64_t capacity_bytes() const { return options_.capacity_bytes; }

 private:
  using Name = std::array<uint64_t, 2>;  // A hash of all that names a part.
  struct NameHash {
    size_t operator()(const Name& name) const { return name[0]; }
  };
  struct Segment;
  struct Place {
    std::shared_ptr<Segment> segment;
    int64_t offset = 0;  // Of the record.
    int64_t bytes = 0;   // Of the record.
    bool used = false;
  };

  DiskCache(const Options& options, std::shared_ptr<Logger> logger);

  arrow::Status OpenFolder();
  arrow::Status LoadSegments() HANGAR_EXCLUDES(mutex_, append_mutex_);
  void LoadSegment(const std::shared_ptr<Segment>& segment) HANGAR_REQUIRES(mutex_);

  Name NameOf(const Unit& unit) const;
  std::string HeadOf(const Unit& unit, const void* bytes) const;
  void Append(const Name& name, std::string_view head, const void* bytes, int64_t length)
      HANGAR_REQUIRES(append_mutex_) HANGAR_EXCLUDES(mutex_);
  bool MakeRoom(int64_t record_bytes) HANGAR_REQUIRES(append_mutex_) HANGAR_EXCLUDES(mutex_);
  bool BeginSegment() HANGAR_REQUIRES(append_mutex_) HANGAR_EXCLUDES(mutex_);
  // False when there is none but the one that is written.
  bool EvictOldest() HANGAR_REQUIRES(append_mutex_) HANGAR_EXCLUDES(mutex_);
  void Drop(const Name& name, const Place& place) HANGAR_EXCLUDES(mutex_);
  void NoteDiskFailure(std::string_view what, int error);

  const Options options_;
  const int64_t segment_bytes_;
  const std::shared_ptr<Logger> logger_;
  UniqueDescriptor folder_;
  UniqueDescriptor lock_;

  std::atomic<int64_t> hits_ = 0;
  std::atomic<int64_t> misses_ = 0;
  std::atomic<int64_t> evictions_ = 0;
  std::atomic<int64_t> errors_ = 0;
  std::atomic<int64_t> bytes_ = 0;
  std::atomic<bool> failure_was_logged_ = false;

  Mutex append_mutex_;  // One writes at a time. Taken before mutex_.
  std::shared_ptr<Segment> last_ HANGAR_GUARDED_BY(append_mutex_);  // nullptr: none is begun.
  int64_t write_again_at_ HANGAR_GUARDED_BY(append_mutex_) = 0;     // Seconds of a steady clock.

  Mutex mutex_;
  std::unordered_map<Name, Place, NameHash> places_ HANGAR_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<Segment>> segments_ HANGAR_GUARDED_BY(mutex_);  // The oldest first.
};

}  // namespace hangar
