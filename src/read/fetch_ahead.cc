#include "read/fetch_ahead.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "store/store_errors.h"

namespace hangar {
namespace {

// Large enough that what a request costs by itself does not matter, small enough that several are
// under way for one read.
constexpr int64_t kRequestBytesMax = 4 << 20;
constexpr int kRequestsMax = 12;
// What is fetched of a run when it is read before it was planned, or again.
constexpr int64_t kDemandBytes = 2 * kFetchUnitBytes;
// So many sections of which nothing is to be fetched are looked at ahead of the one that is read.
constexpr size_t kSectionsAheadMax = 64;

}  // namespace

class FetchAhead::RunReader final : public ObjectReader {
 public:
  RunReader(std::shared_ptr<FetchAhead> ahead, const ByteRun& run)
      : ahead_(std::move(ahead)), run_(run) {}

  const ObjectInfo& info() const override { return ahead_->object_.reader->info(); }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info(), offset, length));
    return ahead_->Read(run_, offset, length, out);
  }

 private:
  const std::shared_ptr<FetchAhead> ahead_;
  const ByteRun run_;
};

FetchAhead::FetchAhead(FetchedObject object, FetchPlan plan, RangeFetcher* fetcher)
    : object_(std::move(object)),
      plan_(std::move(plan)),
      fetcher_(fetcher),
      share_(fetcher->ahead()) {}

std::shared_ptr<FetchAhead> FetchAhead::Start(FetchedObject object, FetchPlan plan,
                                              RangeFetcher* fetcher) {
  std::shared_ptr<FetchAhead> ahead(new FetchAhead(std::move(object), std::move(plan), fetcher));
  MutexLock lock(ahead->mutex_);
  ahead->Fetch();
  return ahead;
}

std::shared_ptr<ObjectReader> FetchAhead::OfRun(const ByteRun& run) {
  return std::make_shared<RunReader>(shared_from_this(), run);
}

FetchAhead::~FetchAhead() {
  MutexLock lock(mutex_);
  Charge(-held_bytes_);
}

int64_t FetchAhead::BytesMax() const {
  if (fetcher_->HoldsAll()) return plan_.bytes_min;
  const int64_t share_bytes = std::max(share_.bytes(), plan_.bytes_min);
  if (plan_.bytes_at_first == 0) return share_bytes;
  return std::min(share_bytes, plan_.bytes_at_first + 2 * read_bytes_);
}

bool FetchAhead::PlanNext() {
  if (next_section_ >= plan_.sections || next_section_ > passed_ + kSectionsAheadMax) return false;
  for (const FetchUnit& unit : plan_.units_of(next_section_++)) planned_.push_back(unit);
  return true;
}

void FetchAhead::Fetch() {
  while (!stopped_ && under_way_ < kRequestsMax && held_bytes_ < BytesMax()) {
    if (planned_.empty()) {
      if (!PlanNext()) return;
      continue;
    }
    if (held_.contains(planned_.front().offset)) {  // It was read already, or is being.
      planned_.pop_front();
      continue;
    }
    std::vector<FetchUnit> units;
    int64_t bytes = 0;
    for (const FetchUnit& unit : planned_) {
      if (bytes >= kRequestBytesMax || held_.contains(unit.offset)) break;
      units.push_back(unit);
      bytes += unit.length;
    }
    const size_t taken = StartRequest(
        units, std::clamp(BytesMax() - held_bytes_, kFetchUnitBytes, kRequestBytesMax));
    planned_.erase(planned_.begin(), planned_.begin() + static_cast<std::ptrdiff_t>(taken));
  }
}

size_t FetchAhead::StartRequest(const std::vector<FetchUnit>& units, int64_t bytes_max) {
  const auto started = fetcher_->Start(object_, units, bytes_max, [weak = weak_from_this()] {
    if (const auto ahead = weak.lock()) ahead->RequestDone();
  });
  if (started.is_new) ++under_way_;
  // Of what others asked for, too, it counts what it keeps from going.
  const int64_t bytes = started.is_new ? started.range->length() : units[0].length;
  const auto held = std::make_shared<HeldRange>(
      HeldRange{.range = started.range, .bytes = bytes, .units = started.units});
  Charge(bytes);
  const size_t section = next_section_ == 0 ? 0 : next_section_ - 1;
  for (size_t i = 0; i < started.units; ++i) {
    held_[units[i].offset] = {.unit = units[i], .section = section, .held = held};
  }
  return started.units;
}

void FetchAhead::RequestDone() {
  MutexLock lock(mutex_);
  --under_way_;
  Fetch();
}

void FetchAhead::Charge(int64_t bytes) {
  held_bytes_ += bytes;
  fetcher_->NoteHeld(bytes);
}

FetchAhead::Held::iterator FetchAhead::LetGo(Held::iterator unit) {
  HeldRange& held = *unit->second.held;
  if (--held.units == 0) Charge(-held.bytes);
  return held_.erase(unit);
}

arrow::Status FetchAhead::Read(const ByteRun& run, int64_t offset, int64_t length, void* out) {
  auto* next = static_cast<uint8_t*>(out);
  const int64_t end = offset + length;
  for (int64_t position = offset; position < end;) {
    int64_t unit_end = end;
    bool is_here = false;
    if (const auto range = RangeAt(run, position, &unit_end)) {
      unit_end = std::min(unit_end, end);
      ARROW_ASSIGN_OR_RAISE(is_here, range->Copy(position, unit_end - position, next));
    }
    if (!is_here) {
      ARROW_RETURN_NOT_OK(object_.reader->ReadAt(position, unit_end - position, next));
    }
    next += unit_end - position;
    position = unit_end;
  }
  NoteRead(run, offset, length);
  return arrow::Status::OK();
}

std::shared_ptr<FetchedRange> FetchAhead::RangeAt(const ByteRun& run, int64_t offset,
                                                  int64_t* end) {
  if (offset < run.begin || offset >= run.end) return nullptr;
  MutexLock lock(mutex_);
  const int64_t unit_offset = UnitsOf(run, offset, offset + 1).front().offset;
  auto found = held_.find(unit_offset);
  if (found == held_.end() || found->second.unit.run != run) {
    if (found != held_.end()) return nullptr;  // Runs of a damaged file may lie across each other.
    std::vector<FetchUnit> units = UnitsOf(run, offset, offset + kDemandBytes);
    const auto held = std::find_if(units.begin() + 1, units.end(),
                                   [this](const FetchUnit& unit) HANGAR_REQUIRES(mutex_) {
                                     return held_.contains(unit.offset);
                                   });
    units.erase(held, units.end());
    const size_t taken = StartRequest(units, kDemandBytes);
    units.resize(taken);
    std::erase_if(planned_, [&units](const FetchUnit& planned) {
      return std::ranges::contains(units, planned.offset, &FetchUnit::offset);
    });
    found = held_.find(unit_offset);
  }
  *end = found->second.unit.offset + found->second.unit.length;
  return found->second.held->range;
}

void FetchAhead::NoteRead(const ByteRun& run, int64_t offset, int64_t length) {
  MutexLock lock(mutex_);
  read_bytes_ += length;
  // A run is read forwards: what lies before the place where this began is not needed any more, and
  // nothing is once its end was read.
  const int64_t begin = offset + length >= run.end ? run.end : offset;
  for (auto unit = held_.lower_bound(run.begin);
       unit != held_.end() && unit->second.unit.offset + unit->second.unit.length <= begin;) {
    unit = unit->second.unit.run == run ? LetGo(unit) : std::next(unit);
  }
  Fetch();
}

void FetchAhead::Discard(const ByteRun& run) {
  {
    const MutexLock lock(mutex_);
    for (auto unit = held_.lower_bound(run.begin);
         unit != held_.end() && unit->second.unit.offset < run.end;) {
      unit = unit->second.unit.run == run ? LetGo(unit) : std::next(unit);
    }
  }
  fetcher_->Discard(object_, UnitsOf(run, run.begin, run.end));
}

void FetchAhead::Pass(size_t section) {
  MutexLock lock(mutex_);
  if (section <= passed_) return;
  passed_ = section;
  if (next_section_ <= section) {
    next_section_ = section;
    planned_.clear();
  }
  for (auto unit = held_.begin(); unit != held_.end();) {
    unit = unit->second.section < section ? LetGo(unit) : std::next(unit);
  }
  Fetch();
}

void FetchAhead::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  planned_.clear();
  // Who shares a pass with this read goes on, and fetches what it then needs.
  held_.clear();
  Charge(-held_bytes_);
}

int64_t FetchAhead::held_bytes() {
  MutexLock lock(mutex_);
  return held_bytes_;
}

}  // namespace hangar
