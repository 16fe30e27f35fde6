#include "read/sequential_reader.h"

#include <algorithm>
#include <utility>

#include "base/mutex.h"
#include "read/fetch_ahead.h"
#include "read/stored_file.h"

namespace hangar {
namespace {

// Planned at a time.
constexpr int64_t kSectionBytes = 64LL << 20;
// Fetched ahead at first: who reads on twice may end there.
constexpr int64_t kFirstBytes = 4LL << 20;

class SequentialReader final : public ObjectReader {
 public:
  SequentialReader(std::shared_ptr<ObjectReader> reader, RangeFetcher* fetcher)
      : reader_(std::move(reader)), fetcher_(fetcher) {}

  ~SequentialReader() override {
    MutexLock lock(mutex_);
    StopFetching();
  }

  const ObjectInfo& info() const override { return reader_->info(); }
  std::optional<int> DuplicateDescriptor() const override { return reader_->DuplicateDescriptor(); }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    std::shared_ptr<ObjectReader> reader = reader_;
    {
      MutexLock lock(mutex_);
      const bool goes_on = offset == next_;
      next_ = offset + length;
      if (!goes_on) StopFetching();
      if (goes_on && ahead_ == nullptr) StartFetching(offset);
      if (goes_on) {
        reader = run_;
        ahead_->Pass(static_cast<size_t>((offset - begin_) / kSectionBytes));
      }
    }
    return reader->ReadAt(offset, length, out);
  }

 private:
  void StartFetching(int64_t offset) HANGAR_REQUIRES(mutex_) {
    const ByteRun run{.begin = 0, .end = info().size_bytes};
    begin_ = offset / kFetchUnitBytes * kFetchUnitBytes;
    FetchPlan plan{
        .sections = static_cast<size_t>((run.end - begin_ + kSectionBytes - 1) / kSectionBytes),
        .units_of =
            [run, begin = begin_](size_t section) {
              const int64_t first = begin + static_cast<int64_t>(section) * kSectionBytes;
              return UnitsOf(run, first, std::min(run.end, first + kSectionBytes));
            },
        .bytes_at_first = kFirstBytes};
    ahead_ = FetchAhead::Start({.reader = reader_, .version = HashOfVersion(info().version)},
                               std::move(plan), fetcher_);
    run_ = ahead_->OfRun(run);
  }

  void StopFetching() HANGAR_REQUIRES(mutex_) {
    if (ahead_ != nullptr) ahead_->Stop();
    ahead_ = nullptr;
    run_ = nullptr;
  }

  const std::shared_ptr<ObjectReader> reader_;
  RangeFetcher* const fetcher_;
  Mutex mutex_;
  int64_t next_ HANGAR_GUARDED_BY(mutex_) = -1;                  // Where the last read ended.
  int64_t begin_ HANGAR_GUARDED_BY(mutex_) = 0;                  // Of what is planned.
  std::shared_ptr<FetchAhead> ahead_ HANGAR_GUARDED_BY(mutex_);  // nullptr: nothing is.
  std::shared_ptr<ObjectReader> run_ HANGAR_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<ObjectReader> ReadSequentially(std::shared_ptr<ObjectReader> reader,
                                               RangeFetcher* fetcher) {
  return std::make_shared<SequentialReader>(std::move(reader), fetcher);
}

}  // namespace hangar
