// What StageOptions say of an object, for every store: where it will be published, what is read
// back of it, and how much memory there is for it.

#include <algorithm>
#include <cstdint>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "store/test_support.h"
#include "store_conformance.h"

namespace hangar {
namespace {

constexpr int64_t kMiB = 1 << 20;
// More than a store keeps in memory as a whole.
constexpr int64_t kLargeBytes = 21 * kMiB + 17;

std::string Counted(int64_t size, uint32_t seed = 0) {
  std::string bytes;
  bytes.reserve(static_cast<size_t>(size) + 16);
  for (uint32_t i = seed; static_cast<int64_t>(bytes.size()) < size; ++i) {
    bytes += std::to_string(i * 2654435761U);
  }
  bytes.resize(static_cast<size_t>(size));
  return bytes;
}

// Stages `bytes` with an end of `end_bytes`, and seals them.
arrow::Result<std::unique_ptr<StagedObject>> StageWithEnd(ObjectStore& store,
                                                          const StageOptions& options,
                                                          const std::string& bytes,
                                                          int64_t end_bytes) {
  ARROW_ASSIGN_OR_RAISE(auto staged, store.Stage(options));
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t body = size - end_bytes;
  for (int64_t at = 0; at < size;) {
    if (at == body) staged->BeginEnd();
    const int64_t piece = std::min<int64_t>(kMiB + 1, (at < body ? body : size) - at);
    ARROW_RETURN_NOT_OK(staged->Append(bytes.data() + at, piece));
    at += piece;
  }
  ARROW_RETURN_NOT_OK(staged->Seal());
  return staged;
}

std::vector<StageOptions> AllOptions() {
  std::vector<StageOptions> options;
  for (const char* key : {"", "a/b"}) {
    for (const ReadsBack reads_back : {ReadsBack::kAll, ReadsBack::kEnd}) {
      for (const int64_t memory_bytes : {int64_t{0}, 1000 * kMiB}) {
        options.push_back({.key = key, .reads_back = reads_back, .memory_bytes = memory_bytes});
      }
    }
  }
  return options;
}

// The object comes back whole at "a/b".
void ExpectPublished(ObjectStore& store, StagedObject& staged, const std::string& bytes) {
  const auto reader = staged.OpenSealed().ValueOrDie();
  EXPECT_EQ(reader->info().key, "");
  EXPECT_EQ(reader->info().size_bytes, static_cast<int64_t>(bytes.size()));
  const ObjectInfo info = staged.Publish("a/b", Precondition::None()).ValueOrDie();
  EXPECT_EQ(info.version, reader->info().version);
  EXPECT_EQ(info.size_bytes, static_cast<int64_t>(bytes.size()));
  EXPECT_EQ(info.version, store.Stat("a/b").ValueOrDie().version);
  EXPECT_TRUE(GetBytes(store, "a/b").ValueOrDie() == bytes);
}

TEST_P(StoreConformance, AnObjectComesToItsKeyHoweverItWasStaged) {
  const std::string bytes = Counted(kLargeBytes);
  for (const StageOptions& options : AllOptions()) {
    SCOPED_TRACE(options.key + (options.reads_back == ReadsBack::kEnd ? " end" : " all"));
    for (const std::string& content : {std::string(), std::string("small"), bytes}) {
      const auto end_bytes = static_cast<int64_t>(content.size() / 2);
      const auto staged = StageWithEnd(store(), options, content, end_bytes).ValueOrDie();
      ExpectPublished(store(), *staged, content);
      EXPECT_EQ(CountStaged(), 0);
    }
  }
}

TEST_P(StoreConformance, TheEndIsReadBackHoweverLargeItIs) {
  const std::string bytes = Counted(kLargeBytes);
  for (const int64_t end_bytes : {int64_t{1}, 1000 * int64_t{1}, 3 * kMiB, 9 * kMiB, 20 * kMiB}) {
    SCOPED_TRACE(end_bytes);
    const StageOptions options{.key = "a/b", .reads_back = ReadsBack::kEnd};
    const auto staged = StageWithEnd(store(), options, bytes, end_bytes).ValueOrDie();
    const auto reader = staged->OpenSealed().ValueOrDie();
    const int64_t begin = std::max<int64_t>(kLargeBytes - end_bytes - kReadBackBytesMin, 0);
    std::string end(static_cast<size_t>(kLargeBytes - begin), '\0');
    ExpectOk(reader->ReadAt(begin, kLargeBytes - begin, end.data()));
    EXPECT_TRUE(end == bytes.substr(static_cast<size_t>(begin)));
    ExpectError(ErrorKind::kInvalidArgument, reader->ReadAt(kLargeBytes, 1, end.data()));
    ExpectPublished(store(), *staged, bytes);
    ExpectOk(reader->ReadAt(kLargeBytes - 1, 1, end.data()));
    EXPECT_EQ(end[0], bytes.back());
  }
}

TEST_P(StoreConformance, AnObjectThatGrowsAtItsKeyIsNotSeenThere) {
  const std::string bytes = Counted(kLargeBytes);
  const StageOptions options{.key = "a/b", .reads_back = ReadsBack::kEnd};
  {
    const auto staged = StageWithEnd(store(), options, bytes, 10).ValueOrDie();
    ExpectError(ErrorKind::kNotFound, store().Stat("a/b"));
    EXPECT_TRUE(ListKeys(store()).ValueOrDie().empty());
  }
  EXPECT_EQ(CountStaged(), 0);
  ExpectOk(PutBytes(store(), "a/b", "what was there before"));
  const auto staged = StageWithEnd(store(), options, bytes, 10).ValueOrDie();
  EXPECT_EQ(GetBytes(store(), "a/b").ValueOrDie(), "what was there before");
  ExpectPublished(store(), *staged, bytes);
}

TEST_P(StoreConformance, ARefusedObjectIsPublishedOnceItMayBe) {
  const StageOptions options{.key = "a/b", .reads_back = ReadsBack::kEnd};
  for (const int64_t size : {int64_t{100}, kLargeBytes}) {
    const std::string bytes = Counted(size);
    const std::string other = PutBytes(store(), "a/b", "other").ValueOrDie().version;
    const auto staged = StageWithEnd(store(), options, bytes, 10).ValueOrDie();
    ExpectError(ErrorKind::kAlreadyExists, staged->Publish("a/b", Precondition::Absent()));
    ExpectError(ErrorKind::kFailedPrecondition,
                staged->Publish("a/b", Precondition::Version("none")));
    EXPECT_EQ(GetBytes(store(), "a/b").ValueOrDie(), "other");
    ExpectOk(staged->Publish("a/b", Precondition::Version(other)));
    EXPECT_TRUE(GetBytes(store(), "a/b").ValueOrDie() == bytes);
    ExpectError(ErrorKind::kInternal, staged->Publish("a/b", Precondition::None()));
    ExpectOk(store().Delete("a/b", Precondition::None()));
  }
  EXPECT_EQ(CountStaged(), 0);
}

TEST_P(StoreConformance, OfObjectsThatGrowAtOneKeyTheLastOneStays) {
  const StageOptions options{.key = "a/b", .reads_back = ReadsBack::kEnd};
  const std::string first = Counted(kLargeBytes, 1);
  const std::string second = Counted(kLargeBytes, 2);
  const auto one = StageWithEnd(store(), options, first, 10).ValueOrDie();
  const auto other = StageWithEnd(store(), options, second, 10).ValueOrDie();
  ExpectOk(one->Publish("a/b", Precondition::Absent()));
  ExpectError(ErrorKind::kAlreadyExists, other->Publish("a/b", Precondition::Absent()));
  ExpectOk(other->Publish("a/b", Precondition::None()));
  EXPECT_TRUE(GetBytes(store(), "a/b").ValueOrDie() == second);
  EXPECT_EQ(store().ListRetired("a/b").ValueOrDie().size(), 1U);
  EXPECT_EQ(CountStaged(), 0);
}

TEST_P(StoreConformance, OfObjectsThatGrowAtOneKeyAndArePublishedAtOnceOneIsCreated) {
  constexpr uint32_t kRacers = 4;
  const StageOptions options{.key = "a/b", .reads_back = ReadsBack::kEnd};
  std::vector<std::unique_ptr<StagedObject>> staged;
  for (uint32_t i = 0; i < kRacers; ++i) {
    staged.push_back(StageWithEnd(store(), options, Counted(9 * kMiB, i), 10).ValueOrDie());
  }
  for (const Precondition& precondition : {Precondition::Absent(), Precondition::None()}) {
    std::latch start(static_cast<std::ptrdiff_t>(staged.size()));
    std::vector<int> is_published(staged.size());
    {
      std::vector<std::jthread> racers;
      for (size_t i = 0; i < staged.size(); ++i) {
        racers.emplace_back([&, i] {
          start.arrive_and_wait();
          is_published[i] = staged[i]->Publish("a/b", precondition).ok() ? 1 : 0;
        });
      }
    }
    const auto winners = std::ranges::count(is_published, 1);
    // Whatever is there may be replaced, also by one who has to try again.
    const bool is_creation = precondition.kind == Precondition::Kind::kAbsent;
    EXPECT_EQ(winners, is_creation ? 1 : kRacers - 1);
    for (size_t i = staged.size(); i-- > 0;) {
      if (is_published[i] == 1) staged.erase(staged.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  EXPECT_EQ(store().Stat("a/b").ValueOrDie().size_bytes, 9 * kMiB);
  EXPECT_EQ(store().ListRetired("a/b").ValueOrDie().size(), kRacers - 1);
  EXPECT_EQ(CountStaged(), 0);
}

}  // namespace
}  // namespace hangar
