#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "base/worker_pool.h"
#include "read/read_ahead_budget.h"
#include "store/disk_cache.h"
#include "store/object_store.h"

namespace hangar {

/// A run of bytes of an object: of a column chunk, for example.
struct ByteRun {
  int64_t begin = 0;
  int64_t end = 0;

  bool operator==(const ByteRun&) const = default;
};

/// A part of a run, what is fetched and kept as one. A run is cut by itself, whatever is read of it
/// and beside it, so that who reads it later finds the same units.
struct FetchUnit {
  int64_t offset = 0;
  int64_t length = 0;
  ByteRun run;
};

/// All units but a run's last have so many bytes.
inline constexpr int64_t kFetchUnitBytes = 512 << 10;

/// The units that [begin, end) of the run touches, in order.
std::vector<FetchUnit> UnitsOf(const ByteRun& run, int64_t begin, int64_t end);

/// A version whose bytes are fetched.
struct FetchedObject {
  std::shared_ptr<ObjectReader> reader;
  std::array<uint64_t, 2> version{};  ///< A hash of the version.
  bool uses_disk = false;             ///< Whether units may come from the disk cache, and go to it.
};

/// Some consecutive units, with what little lies between them, that one request brings. The bytes
/// go when nobody holds it any more. Thread-safe.
class FetchedRange {
 public:
  FetchedRange(int64_t offset, int64_t length) : offset_(offset), length_(length) {}

  int64_t offset() const { return offset_; }
  int64_t length() const { return length_; }

  /// Blocks until the bytes are here, and copies those at `offset` of the object. False: there was
  /// no memory to fetch them ahead. Errors are those of the object's reader.
  arrow::Result<bool> Copy(int64_t offset, int64_t length, void* out) HANGAR_EXCLUDES(mutex_);

 private:
  friend class RangeFetcher;

  void Finish(arrow::Status status, std::shared_ptr<arrow::Buffer> bytes) HANGAR_EXCLUDES(mutex_);

  const int64_t offset_;
  const int64_t length_;
  Mutex mutex_;
  CondVar finished_;
  bool is_finished_ HANGAR_GUARDED_BY(mutex_) = false;
  arrow::Status status_ HANGAR_GUARDED_BY(mutex_);
  std::shared_ptr<arrow::Buffer> bytes_ HANGAR_GUARDED_BY(mutex_);  // nullptr: no memory.
  std::atomic<bool> is_discarded_ = false;
};

/// Fetches ranges of objects for all reads, by threads of its own, which wait for a network and do
/// not take the place of those that decode. What one read has fetched or asked for, others that
/// want it at the same time share. In front of the store there may be a cache on disk.
/// Thread-safe. The destructor waits for requests under way.
class RangeFetcher {
 public:
  struct Options {
    int threads = 32;                   ///< Requests under way at once, of all reads.
    ReadAheadBudget::Options ahead;     ///< What is fetched and not decoded yet.
    std::shared_ptr<DiskCache> disk;    ///< nullptr: none.
    arrow::MemoryPool* pool = nullptr;  ///< nullptr: Arrow's default pool.
  };

  explicit RangeFetcher(const Options& options);

  struct Fetch {
    std::shared_ptr<FetchedRange> range;
    size_t units = 0;     ///< How many of the units it holds: the first ones.
    bool is_new = false;  ///< `done` is going to be called, by a thread of this.
  };
  /// Has the first unit fetched, and as many of those after it as fit into one request with it, or
  /// joins a request that brings it already.
  Fetch Start(const FetchedObject& object, const std::vector<FetchUnit>& units,
              int64_t request_bytes_max, std::function<void()> done) HANGAR_EXCLUDES(mutex_);

  /// The bytes of these units turned out to be damaged: who reads them next has them fetched from
  /// the store, and they leave the cache on disk.
  void Discard(const FetchedObject& object, const std::vector<FetchUnit>& units)
      HANGAR_EXCLUDES(mutex_);

  ReadAheadBudget* ahead() { return &ahead_; }
  /// Reads say here what they hold ahead, so that many who hold on to what they were given when
  /// they were few do not come to more than all may.
  void NoteHeld(int64_t bytes) { held_bytes_ += bytes; }
  bool HoldsAll() const { return held_bytes_ >= all_bytes_; }
  /// For other requests that are waited for.
  WorkerPool* threads() { return &threads_; }

 private:
  /// A unit of a version.
  using UnitKey = std::pair<std::array<uint64_t, 2>, std::pair<int64_t, int64_t>>;
  struct Request;

  static UnitKey KeyOf(const FetchedObject& object, const FetchUnit& unit) {
    return {object.version, {unit.offset, unit.length}};
  }
  std::shared_ptr<FetchedRange> FindUnderWay(const UnitKey& key) HANGAR_REQUIRES(mutex_);
  size_t CountForOneRequest(const FetchedObject& object, const std::vector<FetchUnit>& units,
                            int64_t request_bytes_max, bool* is_on_disk) HANGAR_REQUIRES(mutex_);
  void ForgetEnded() HANGAR_REQUIRES(mutex_);
  bool IsOnDisk(const FetchedObject& object, const FetchUnit& unit) const;
  void Run(const Request& request);
  bool ReadFromDisk(const Request& request, const FetchedRange& range, uint8_t* out);
  void WriteToDisk(const Request& request, const FetchedRange& range, const uint8_t* bytes);

  const std::shared_ptr<DiskCache> disk_;
  arrow::MemoryPool* const pool_;
  const int64_t all_bytes_;
  ReadAheadBudget ahead_;
  std::atomic<int64_t> held_bytes_ = 0;
  Mutex mutex_;
  std::map<UnitKey, std::weak_ptr<FetchedRange>> under_way_ HANGAR_GUARDED_BY(mutex_);
  size_t forget_at_ HANGAR_GUARDED_BY(mutex_) = 1024;
  WorkerPool threads_;  // Last, so that it ends first.
};

}  // namespace hangar
