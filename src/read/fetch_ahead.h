#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <arrow/status.h>

#include "base/mutex.h"
#include "read/range_fetcher.h"
#include "read/read_ahead_budget.h"
#include "store/object_store.h"

namespace hangar {

/// What one read is going to need, section by section: of a row group, for example.
struct FetchPlan {
  size_t sections = 0;
  /// The units of a section, in the order in which they are to be fetched. Called once for each,
  /// in order, by any thread.
  std::function<std::vector<FetchUnit>(size_t section)> units_of;
  /// What has to be held at once to get on at all, however small the read's share is.
  int64_t bytes_min = 0;
  /// How much is held ahead at first; it grows with what was read. 0: all that may be.
  int64_t bytes_at_first = 0;
};

/// Fetches what a read needs before it is asked for, several requests at a time, and holds it until
/// it was read. What is held is bounded by the read's share of the fetcher's budget: who stops
/// reading stops the fetching. Bytes that were not planned, or are not held any more, are fetched
/// when they are read, by unit as well. Thread-safe; tasks of the fetcher may outlive it by the
/// request that they are in.
class FetchAhead : public std::enable_shared_from_this<FetchAhead> {
 public:
  /// `fetcher` must outlive it.
  static std::shared_ptr<FetchAhead> Start(FetchedObject object, FetchPlan plan,
                                           RangeFetcher* fetcher);
  ~FetchAhead();

  /// A reader of one run, from its begin to its end mostly: what was read of it is let go. It holds
  /// this.
  std::shared_ptr<ObjectReader> OfRun(const ByteRun& run);

  /// What was read of the run turned out to be damaged: it is fetched anew when it is read again.
  void Discard(const ByteRun& run) HANGAR_EXCLUDES(mutex_);

  /// Sections before this one are needed no more.
  void Pass(size_t section) HANGAR_EXCLUDES(mutex_);

  /// Fetches nothing more ahead.
  void Stop() HANGAR_EXCLUDES(mutex_);

  /// Of bytes that were fetched, or are being.
  int64_t held_bytes() HANGAR_EXCLUDES(mutex_);

 private:
  class RunReader;

  /// A request, as far as this read takes part in it.
  struct HeldRange {
    std::shared_ptr<FetchedRange> range;
    int64_t bytes = 0;
    size_t units = 0;  // That are not let go yet.
  };
  struct HeldUnit {
    FetchUnit unit;
    size_t section = 0;
    std::shared_ptr<HeldRange> held;
  };
  using Held = std::map<int64_t, HeldUnit>;  // By offset.

  FetchAhead(FetchedObject object, FetchPlan plan, RangeFetcher* fetcher);

  arrow::Status Read(const ByteRun& run, int64_t offset, int64_t length, void* out)
      HANGAR_EXCLUDES(mutex_);
  // The range that holds `offset`, which is fetched if need be, and where its unit ends.
  std::shared_ptr<FetchedRange> RangeAt(const ByteRun& run, int64_t offset, int64_t* end)
      HANGAR_EXCLUDES(mutex_);
  void NoteRead(const ByteRun& run, int64_t offset, int64_t length) HANGAR_EXCLUDES(mutex_);

  int64_t BytesMax() const HANGAR_REQUIRES(mutex_);
  // Starts what there is room for.
  void Fetch() HANGAR_REQUIRES(mutex_);
  bool PlanNext() HANGAR_REQUIRES(mutex_);
  // Returns how many of the units it took.
  size_t StartRequest(const std::vector<FetchUnit>& units, int64_t bytes_max)
      HANGAR_REQUIRES(mutex_);
  void Charge(int64_t bytes) HANGAR_REQUIRES(mutex_);
  Held::iterator LetGo(Held::iterator unit) HANGAR_REQUIRES(mutex_);
  void RequestDone() HANGAR_EXCLUDES(mutex_);

  const FetchedObject object_;
  const FetchPlan plan_;
  RangeFetcher* const fetcher_;
  const ReadAheadBudget::Share share_;

  Mutex mutex_;
  Held held_ HANGAR_GUARDED_BY(mutex_);
  int64_t held_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  int64_t read_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  int under_way_ HANGAR_GUARDED_BY(mutex_) = 0;              // Requests of this read.
  std::deque<FetchUnit> planned_ HANGAR_GUARDED_BY(mutex_);  // Of the section before the next one.
  size_t next_section_ HANGAR_GUARDED_BY(mutex_) = 0;
  size_t passed_ HANGAR_GUARDED_BY(mutex_) = 0;
  bool stopped_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
