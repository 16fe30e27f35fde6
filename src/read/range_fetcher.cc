#include "read/range_fetcher.h"

#include <algorithm>
#include <cstring>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>

namespace hangar {
namespace {

// What two units in one request may have between them: less than the request itself costs, and so
// little of it all that few columns of many do not bring others along.
constexpr int64_t kGapBytesMax = 64 << 10;
constexpr int64_t kGapsPart = 64;

DiskCache::Unit OnDisk(const FetchedObject& object, const FetchUnit& unit) {
  const ObjectInfo& info = object.reader->info();
  return {.key = info.key, .version = info.version, .offset = unit.offset, .length = unit.length};
}

}  // namespace

std::vector<FetchUnit> UnitsOf(const ByteRun& run, int64_t begin, int64_t end) {
  std::vector<FetchUnit> units;
  begin = std::max(begin, run.begin);
  end = std::min(end, run.end);
  int64_t offset = run.begin + (begin - run.begin) / kFetchUnitBytes * kFetchUnitBytes;
  for (; offset < end; offset += kFetchUnitBytes) {
    units.push_back(
        {.offset = offset, .length = std::min(kFetchUnitBytes, run.end - offset), .run = run});
  }
  return units;
}

arrow::Result<bool> FetchedRange::Copy(int64_t offset, int64_t length, void* out) {
  std::shared_ptr<arrow::Buffer> bytes;
  {
    MutexLock lock(mutex_);
    while (!is_finished_) finished_.Wait(mutex_);
    ARROW_RETURN_NOT_OK(status_);
    bytes = bytes_;
  }
  if (bytes == nullptr) return false;
  std::memcpy(out, bytes->data() + (offset - offset_), static_cast<size_t>(length));
  return true;
}

void FetchedRange::Finish(arrow::Status status, std::shared_ptr<arrow::Buffer> bytes) {
  MutexLock lock(mutex_);
  status_ = std::move(status);
  bytes_ = std::move(bytes);
  is_finished_ = true;
  finished_.NotifyAll();
}

struct RangeFetcher::Request {
  FetchedObject object;
  std::vector<FetchUnit> units;
  bool is_on_disk = false;
  std::weak_ptr<FetchedRange> range;  // Nobody may want it any more when its turn comes.
};

RangeFetcher::RangeFetcher(const Options& options)
    : disk_(options.disk),
      pool_(options.pool != nullptr ? options.pool : arrow::default_memory_pool()),
      all_bytes_(options.ahead.all_bytes),
      ahead_(options.ahead),
      threads_(options.threads) {}

std::shared_ptr<FetchedRange> RangeFetcher::FindUnderWay(const UnitKey& key) {
  const auto found = under_way_.find(key);
  return found == under_way_.end() ? nullptr : found->second.lock();
}

bool RangeFetcher::IsOnDisk(const FetchedObject& object, const FetchUnit& unit) const {
  return disk_ != nullptr && object.uses_disk && disk_->Has(OnDisk(object, unit));
}

size_t RangeFetcher::CountForOneRequest(const FetchedObject& object,
                                        const std::vector<FetchUnit>& units,
                                        int64_t request_bytes_max, bool* is_on_disk) {
  *is_on_disk = IsOnDisk(object, units[0]);
  const int64_t begin = units[0].offset;
  int64_t end = begin + units[0].length;
  int64_t gaps_bytes = 0;
  size_t count = 1;
  for (; count < units.size(); ++count) {
    const FetchUnit& unit = units[count];
    const int64_t gap_bytes = unit.offset - end;
    const int64_t bytes = unit.offset + unit.length - begin;
    if (gap_bytes < 0 || gap_bytes > kGapBytesMax || bytes > request_bytes_max ||
        (gaps_bytes + gap_bytes) * kGapsPart > bytes || FindUnderWay(KeyOf(object, unit)) ||
        IsOnDisk(object, unit) != *is_on_disk) {
      break;
    }
    gaps_bytes += gap_bytes;
    end = unit.offset + unit.length;
  }
  return count;
}

RangeFetcher::Fetch RangeFetcher::Start(const FetchedObject& object,
                                        const std::vector<FetchUnit>& units,
                                        int64_t request_bytes_max, std::function<void()> done) {
  Request request{.object = object, .units = {}, .is_on_disk = false, .range = {}};
  std::shared_ptr<FetchedRange> range;
  {
    MutexLock lock(mutex_);
    if ((range = FindUnderWay(KeyOf(object, units[0])))) {
      return {.range = std::move(range), .units = 1, .is_new = false};
    }
    const size_t count = CountForOneRequest(object, units, request_bytes_max, &request.is_on_disk);
    request.units.assign(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(count));
    const FetchUnit& last = request.units.back();
    range = std::make_shared<FetchedRange>(units[0].offset,
                                           last.offset + last.length - units[0].offset);
    request.range = range;
    if (under_way_.size() >= forget_at_) ForgetEnded();
    for (const FetchUnit& unit : request.units) under_way_[KeyOf(object, unit)] = range;
  }
  const size_t count = request.units.size();
  threads_.Submit([this, request = std::move(request), done = std::move(done)] {
    Run(request);
    done();
  });
  return {.range = std::move(range), .units = count, .is_new = true};
}

void RangeFetcher::ForgetEnded() {
  std::erase_if(under_way_, [](const auto& entry) { return entry.second.expired(); });
  forget_at_ = std::max<size_t>(1024, 2 * under_way_.size());
}

void RangeFetcher::Run(const Request& request) {
  const auto range = request.range.lock();
  if (range == nullptr) return;
  auto allocated = arrow::AllocateBuffer(range->length(), pool_);
  if (!allocated.ok()) return range->Finish(arrow::Status::OK(), nullptr);
  const std::shared_ptr<arrow::Buffer> bytes = *std::move(allocated);
  arrow::Status status;
  if (disk_ != nullptr && request.object.uses_disk && !request.is_on_disk) {
    disk_->NoteMisses(static_cast<int64_t>(request.units.size()));
  }
  const bool is_from_disk =
      request.is_on_disk && ReadFromDisk(request, *range, bytes->mutable_data());
  if (!is_from_disk) {
    status = request.object.reader->ReadAt(range->offset(), range->length(), bytes->mutable_data());
  }
  const bool is_fetched = !is_from_disk && status.ok();
  if (!status.ok()) {
    // The next read tries again: the fault may be gone.
    MutexLock lock(mutex_);
    for (const FetchUnit& unit : request.units) under_way_.erase(KeyOf(request.object, unit));
  }
  range->Finish(std::move(status), bytes);
  if (is_fetched) WriteToDisk(request, *range, bytes->data());
}

bool RangeFetcher::ReadFromDisk(const Request& request, const FetchedRange& range, uint8_t* out) {
  return std::ranges::all_of(request.units, [&](const FetchUnit& unit) {
    return disk_->Read(OnDisk(request.object, unit), out + (unit.offset - range.offset()));
  });
}

void RangeFetcher::WriteToDisk(const Request& request, const FetchedRange& range,
                               const uint8_t* bytes) {
  if (disk_ == nullptr || !request.object.uses_disk) return;
  for (const FetchUnit& unit : request.units) {
    if (range.is_discarded_) return;
    disk_->Insert(OnDisk(request.object, unit), bytes + (unit.offset - range.offset()));
    // In that moment.
    if (range.is_discarded_) disk_->Discard(OnDisk(request.object, unit));
  }
}

void RangeFetcher::Discard(const FetchedObject& object, const std::vector<FetchUnit>& units) {
  {
    const MutexLock lock(mutex_);
    for (const FetchUnit& unit : units) {
      const auto found = under_way_.find(KeyOf(object, unit));
      if (found == under_way_.end()) continue;
      // Before its units leave the disk, so that none comes there after that.
      if (const auto range = found->second.lock()) range->is_discarded_ = true;
      under_way_.erase(found);
    }
  }
  if (disk_ == nullptr || !object.uses_disk) return;
  for (const FetchUnit& unit : units) disk_->Discard(OnDisk(object, unit));
}

}  // namespace hangar
