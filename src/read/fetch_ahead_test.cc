#include "read/fetch_ahead.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr int64_t kUnit = kFetchUnitBytes;
constexpr int64_t kRequest = 4 << 20;

/// Bytes in memory that notes what is asked for, and can be told to wait and to fail.
class CountingReader final : public ObjectReader {
 public:
  explicit CountingReader(int64_t size) : bytes_(static_cast<size_t>(size), '\0') {
    std::iota(bytes_.begin(), bytes_.end(), '\0');
    for (size_t i = 0; i < bytes_.size(); i += 4096) bytes_[i] = static_cast<char>(i / 4096);
    info_ = {.key = "t", .version = "v", .size_bytes = size};
  }

  const ObjectInfo& info() const override { return info_; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(info_, offset, length));
    MutexLock lock(mutex_);
    asked_.emplace_back(offset, length);
    changed_.NotifyAll();
    while (is_held_) changed_.Wait(mutex_);
    ARROW_RETURN_NOT_OK(error_);
    std::memcpy(out, bytes_.data() + offset, static_cast<size_t>(length));
    if (damages_ > 0 && damages_-- > 0) static_cast<char*>(out)[length / 2] ^= 1;
    return arrow::Status::OK();
  }

  /// (offset, length), in order of offsets.
  std::vector<std::pair<int64_t, int64_t>> asked() {
    MutexLock lock(mutex_);
    auto sorted = asked_;
    std::ranges::sort(sorted);
    return sorted;
  }
  void AwaitAsked(size_t count) {
    MutexLock lock(mutex_);
    while (asked_.size() < count) changed_.Wait(mutex_);
  }
  void Hold(bool is_held) {
    MutexLock lock(mutex_);
    is_held_ = is_held;
    changed_.NotifyAll();
  }
  void Fail(arrow::Status error) {
    MutexLock lock(mutex_);
    error_ = std::move(error);
  }
  /// A byte of the next so many answers is wrong.
  void DamageNext(int answers) {
    MutexLock lock(mutex_);
    damages_ = answers;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  ObjectInfo info_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::pair<int64_t, int64_t>> asked_ HANGAR_GUARDED_BY(mutex_);
  bool is_held_ HANGAR_GUARDED_BY(mutex_) = false;
  arrow::Status error_ HANGAR_GUARDED_BY(mutex_);
  int damages_ HANGAR_GUARDED_BY(mutex_) = 0;
};

class FetchAheadTest : public ::testing::Test {
 protected:
  static constexpr int64_t kShare = 16 << 20;

  std::unique_ptr<RangeFetcher> MakeFetcher(int64_t share = kShare) {
    return std::make_unique<RangeFetcher>(RangeFetcher::Options{
        .threads = 8, .ahead = {.all_bytes = 4 * share, .read_bytes = share}});
  }

  std::shared_ptr<CountingReader> MakeReader(int64_t size) {
    return std::make_shared<CountingReader>(size);
  }

  static FetchedObject ObjectOf(std::shared_ptr<ObjectReader> reader) {
    return {.reader = std::move(reader), .version = {1, 2}};
  }

  /// A section for each vector of runs, read in that order.
  static FetchPlan PlanOf(std::vector<std::vector<ByteRun>> sections) {
    FetchPlan plan{.sections = sections.size()};
    plan.units_of = [sections](size_t section) {
      std::vector<FetchUnit> units;
      for (const ByteRun& run : sections[section]) {
        const auto more = UnitsOf(run, run.begin, run.end);
        units.insert(units.end(), more.begin(), more.end());
      }
      return units;
    };
    return plan;
  }

  /// All bytes of a run, read in steps.
  static std::string ReadRun(const std::shared_ptr<FetchAhead>& ahead, const ByteRun& run,
                             int64_t step = 100'000) {
    const auto reader = ahead->OfRun(run);
    std::string bytes(static_cast<size_t>(run.end - run.begin), '?');
    for (int64_t offset = run.begin; offset < run.end; offset += step) {
      const int64_t length = std::min(step, run.end - offset);
      const auto status = reader->ReadAt(offset, length, bytes.data() + (offset - run.begin));
      EXPECT_TRUE(status.ok()) << status.ToString();
    }
    return bytes;
  }
};

TEST_F(FetchAheadTest, ARunIsCutByItselfWhateverIsReadOfIt) {
  const ByteRun run{.begin = 100, .end = 100 + 3 * kUnit + 5};
  std::vector<std::pair<int64_t, int64_t>> places;
  for (const FetchUnit& unit : UnitsOf(run, run.begin, run.end)) {
    places.emplace_back(unit.offset, unit.length);
  }
  EXPECT_THAT(places, ElementsAre(Pair(100, kUnit), Pair(100 + kUnit, kUnit),
                                  Pair(100 + 2 * kUnit, kUnit), Pair(100 + 3 * kUnit, 5)));
  const auto middle = UnitsOf(run, 100 + kUnit + 7, 100 + kUnit + 8);
  ASSERT_EQ(middle.size(), 1U);
  EXPECT_EQ(middle[0].offset, 100 + kUnit);
}

TEST_F(FetchAheadTest, NeighboursComeInOneRequestAndAreReadFromIt) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(1 << 20);
  const ByteRun first{.begin = 4, .end = 200'004};
  const ByteRun second{.begin = 200'004, .end = 600'000};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{first, second}}), fetcher.get());
  EXPECT_EQ(ReadRun(ahead, second), reader->bytes().substr(200'004, 399'996));
  EXPECT_EQ(ReadRun(ahead, first), reader->bytes().substr(4, 200'000));
  EXPECT_THAT(reader->asked(), ElementsAre(Pair(4, 599'996)));
}

TEST_F(FetchAheadTest, WhatLiesFarBetweenIsNotFetched) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(4 << 20);
  const ByteRun near{.begin = 0, .end = 400'000};
  const ByteRun next{.begin = 404'000, .end = 800'000};  // 4 kB further.
  const ByteRun far{.begin = 1'200'000, .end = 1'600'000};
  const auto ahead =
      FetchAhead::Start(ObjectOf(reader), PlanOf({{near, next, far}}), fetcher.get());
  for (const ByteRun& run : {near, next, far}) ReadRun(ahead, run);
  EXPECT_THAT(reader->asked(), ElementsAre(Pair(0, 800'000), Pair(1'200'000, 400'000)));
}

TEST_F(FetchAheadTest, NoMoreIsHeldThanTheShareAndAllOfItIsLetGo) {
  const auto fetcher = MakeFetcher();
  const int64_t size = 64 << 20;
  const auto reader = MakeReader(size);
  const ByteRun run{.begin = 0, .end = size};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  const auto of_run = ahead->OfRun(run);
  std::string bytes(1 << 20, '?');
  for (int64_t offset = 0; offset < size; offset += 1 << 20) {
    ASSERT_TRUE(of_run->ReadAt(offset, 1 << 20, bytes.data()).ok());
    EXPECT_LE(ahead->held_bytes(), kShare + kRequest);
    EXPECT_EQ(bytes, reader->bytes().substr(static_cast<size_t>(offset), 1 << 20));
  }
  EXPECT_EQ(ahead->held_bytes(), 0);
  int64_t asked_bytes = 0;
  for (const auto& [offset, length] : reader->asked()) asked_bytes += length;
  EXPECT_EQ(asked_bytes, size);
}

TEST_F(FetchAheadTest, WhoDoesNotReadIsNotFetchedFor) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(64 << 20);
  const auto ahead =
      FetchAhead::Start(ObjectOf(reader), PlanOf({{{.begin = 0, .end = 64 << 20}}}), fetcher.get());
  reader->AwaitAsked(4);
  EXPECT_EQ(ahead->held_bytes(), kShare);
  EXPECT_EQ(reader->asked().size(), 4U);
}

TEST_F(FetchAheadTest, ManyWhoDoNotReadOnHoldNoMoreThanAllMay) {
  const auto fetcher = MakeFetcher();
  std::vector<std::shared_ptr<CountingReader>> readers;
  std::vector<std::shared_ptr<FetchAhead>> ahead;
  int64_t held_bytes = 0;
  for (uint64_t i = 0; i < 40; ++i) {
    readers.push_back(MakeReader(8 << 20));
    ahead.push_back(FetchAhead::Start({.reader = readers.back(), .version = {i, 0}},
                                      PlanOf({{{.begin = 0, .end = 8 << 20}}}), fetcher.get()));
    held_bytes += ahead.back()->held_bytes();
  }
  EXPECT_LE(held_bytes, 4 * kShare + kRequest);
  EXPECT_EQ(ReadRun(ahead.back(), {.begin = 0, .end = 8 << 20}), readers.back()->bytes());
}

TEST_F(FetchAheadTest, RequestsAreUnderWayAtTheSameTime) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(16 << 20);
  reader->Hold(true);
  const ByteRun run{.begin = 0, .end = 16 << 20};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  reader->AwaitAsked(4);
  reader->Hold(false);
  EXPECT_EQ(ReadRun(ahead, run), reader->bytes());
}

TEST_F(FetchAheadTest, TwoReadsOfTheSameAtTheSameTimeShareTheRequests) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(8 << 20);
  reader->Hold(true);
  const ByteRun run{.begin = 0, .end = 8 << 20};
  const auto one = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  const auto other = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  reader->Hold(false);
  EXPECT_EQ(ReadRun(one, run), reader->bytes());
  EXPECT_EQ(ReadRun(other, run), reader->bytes());
  EXPECT_EQ(reader->asked().size(), 2U);
}

TEST_F(FetchAheadTest, SectionsThatAreOverMakeRoomThoughNobodyReadThem) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(48 << 20);
  const ByteRun first{.begin = 0, .end = 16 << 20};
  const ByteRun second{.begin = 16 << 20, .end = 32 << 20};
  const auto ahead =
      FetchAhead::Start(ObjectOf(reader), PlanOf({{first}, {second}}), fetcher.get());
  reader->AwaitAsked(4);
  ahead->Pass(1);
  reader->AwaitAsked(8);
  EXPECT_EQ(ReadRun(ahead, second), reader->bytes().substr(16 << 20, 16 << 20));
  EXPECT_EQ(reader->asked().size(), 8U);
}

TEST_F(FetchAheadTest, WhatWasNotPlannedIsFetchedWhenItIsRead) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(8 << 20);
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({}), fetcher.get());
  const ByteRun run{.begin = 1000, .end = 4 << 20};
  EXPECT_EQ(ReadRun(ahead, run), reader->bytes().substr(1000, (4 << 20) - 1000));
  EXPECT_LE(reader->asked().size(), 5U);
  EXPECT_EQ(ahead->held_bytes(), 0);
}

TEST_F(FetchAheadTest, ABackwardReadIsRightToo) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(4 << 20);
  const ByteRun run{.begin = 0, .end = 4 << 20};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  EXPECT_EQ(ReadRun(ahead, run), reader->bytes());
  EXPECT_EQ(ReadRun(ahead, run), reader->bytes());
}

TEST_F(FetchAheadTest, AnErrorComesOutWhereItsBytesAreRead) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(1 << 20);
  reader->Fail(MakeError(ErrorKind::kUnavailable, "the store does not answer"));
  const ByteRun run{.begin = 0, .end = 1 << 20};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  char byte = 0;
  EXPECT_EQ(KindOf(ahead->OfRun(run)->ReadAt(5, 1, &byte)), ErrorKind::kUnavailable);
  // Another read tries again.
  reader->Fail(arrow::Status::OK());
  const auto next = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), fetcher.get());
  EXPECT_EQ(ReadRun(next, run), reader->bytes());
}

TEST_F(FetchAheadTest, WhatIsDiscardedIsFetchedAnewByAllWhoReadItThen) {
  const auto fetcher = MakeFetcher();
  const auto reader = MakeReader(3 << 20);
  reader->DamageNext(1);
  const ByteRun run{.begin = 0, .end = 1 << 20};
  const ByteRun next{.begin = 1 << 20, .end = 3 << 20};
  const auto one = FetchAhead::Start(ObjectOf(reader), PlanOf({{run, next}}), fetcher.get());
  const auto other = FetchAhead::Start(ObjectOf(reader), PlanOf({{run, next}}), fetcher.get());
  ASSERT_NE(ReadRun(one, run) + ReadRun(one, next), reader->bytes());
  for (const auto& ahead : {one, other}) {
    ahead->Discard(run);
    ahead->Discard(next);
    EXPECT_EQ(ahead->held_bytes(), 0);
  }
  EXPECT_EQ(ReadRun(one, run) + ReadRun(one, next), reader->bytes());
  EXPECT_EQ(ReadRun(other, run) + ReadRun(other, next), reader->bytes());
}

TEST_F(FetchAheadTest, AReadThatEndsLeavesNothingBehind) {
  auto fetcher = MakeFetcher();
  const auto reader = MakeReader(64 << 20);
  reader->Hold(true);
  auto ahead =
      FetchAhead::Start(ObjectOf(reader), PlanOf({{{.begin = 0, .end = 64 << 20}}}), fetcher.get());
  reader->AwaitAsked(4);
  ahead->Stop();
  EXPECT_EQ(ahead->held_bytes(), 0);
  ahead.reset();
  reader->Hold(false);
  fetcher.reset();  // Waits for what was under way.
  EXPECT_EQ(reader->asked().size(), 4U);
  EXPECT_EQ(reader.use_count(), 1);
}

TEST_F(FetchAheadTest, WithoutMemoryBytesAreReadWhereTheyAreNeeded) {
  arrow::CappedMemoryPool pool(arrow::default_memory_pool(), 1 << 20);
  RangeFetcher fetcher({.threads = 2,
                        .ahead = {.all_bytes = kShare, .read_bytes = kShare},
                        .disk = nullptr,
                        .pool = &pool});
  const auto reader = MakeReader(8 << 20);
  const ByteRun run{.begin = 0, .end = 8 << 20};
  const auto ahead = FetchAhead::Start(ObjectOf(reader), PlanOf({{run}}), &fetcher);
  EXPECT_EQ(ReadRun(ahead, run), reader->bytes());
}

}  // namespace
}  // namespace hangar
