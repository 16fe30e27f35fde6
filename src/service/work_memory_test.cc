#include "service/work_memory.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/memory_budget.h"

namespace hangar {
namespace {

constexpr int64_t kMiB = 1 << 20;
constexpr std::chrono::milliseconds kAtOnce{0};

TEST(WorkMemory, LeavesUploadsAndReadAheadAsTheyAreWhereThereIsEnough) {
  WorkMemory memory(nullptr, {}, kAtOnce);
  EXPECT_EQ(memory.waiting_bytes(), 32 * kMiB);
  EXPECT_EQ(memory.row_group_bytes(), 128 * kMiB);
  EXPECT_EQ(memory.read_ahead().all_bytes, 128 * kMiB);
  EXPECT_EQ(memory.read_ahead().read_bytes, 16 * kMiB);
  EXPECT_TRUE(memory.AdmitRead(int64_t{1} << 60, nullptr).ok());
}

TEST(WorkMemory, MakesThemSmallerWhereThereIsLittle) {
  MemoryBudget budget(160 * kMiB);
  WorkMemory memory(&budget, {}, kAtOnce);
  EXPECT_EQ(memory.read_ahead().all_bytes, 20 * kMiB);
  EXPECT_LE(memory.row_group_bytes(), 8 * kMiB);
  EXPECT_GE(memory.row_group_bytes(), 4 * kMiB);
}

TEST(WorkMemory, LetsReadsInAsLongAsTheyFit) {
  MemoryBudget budget(160 * kMiB);
  WorkMemory memory(&budget, {}, kAtOnce);
  std::vector<AdmissionQueue::Reservation> reads;
  while (true) {
    auto read = memory.AdmitRead(10 * kMiB, nullptr);
    if (!read.ok()) {
      EXPECT_EQ(KindOf(read.status()), ErrorKind::kUnavailable);
      break;
    }
    reads.push_back(*std::move(read));
  }
  EXPECT_EQ(reads.size(), 12U);
}

TEST(WorkMemory, TheLargestReadLeavesRoomForAnUpload) {
  MemoryBudget budget(160 * kMiB);
  WorkMemory memory(&budget, {}, kAtOnce);
  const auto read = memory.AdmitRead(10'000 * kMiB, nullptr);
  ASSERT_TRUE(read.ok());
  auto upload = memory.AdmitUpload(nullptr);
  ASSERT_TRUE(upload.ok());
  EXPECT_TRUE(upload->Received(10'000 * kMiB, nullptr).ok());
}

TEST(WorkMemory, AnUploadWaitsForMoreOnlyOnceItIsLarge) {
  MemoryBudget budget(160 * kMiB);
  WorkMemory memory(&budget, {}, kAtOnce);
  std::vector<WorkMemory::UploadRoom> small;
  for (int i = 0; i < 30; ++i) {
    auto upload = memory.AdmitUpload(nullptr);
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE(upload->Received(kMiB, nullptr).ok());
    EXPECT_FALSE(upload->is_large());
    small.push_back(*std::move(upload));
  }
  EXPECT_EQ(KindOf(small.back().Received(1, nullptr)), ErrorKind::kUnavailable);
  small.erase(small.begin(), small.begin() + 10);
  EXPECT_TRUE(small.back().Received(1, nullptr).ok());
  EXPECT_TRUE(small.back().is_large());
}

TEST(WorkMemory, UploadsThatAllBecomeLargeDoNotWaitForEachOther) {
  MemoryBudget budget(160 * kMiB);
  WorkMemory memory(&budget, {}, std::chrono::minutes(1));
  std::vector<std::jthread> uploads;
  std::latch all_are_small(30);
  std::atomic<int> done = 0;
  for (int i = 0; i < 30; ++i) {
    uploads.emplace_back([&] {
      auto upload = memory.AdmitUpload(nullptr);
      all_are_small.arrive_and_wait();
      if (upload.ok() && upload->Received(2 * kMiB, nullptr).ok()) ++done;
    });
  }
  uploads.clear();
  EXPECT_EQ(done, 30);
  EXPECT_EQ(memory.reserved_bytes(), 0);
}

TEST(WorkMemory, CountsWhatTheStoreHoldsOfAnUpload) {
  const StagingMemory staging{.least_bytes = 17 * kMiB, .most_bytes = 33 * kMiB};
  MemoryBudget small(160 * kMiB);
  WorkMemory little(&small, staging, kAtOnce);
  EXPECT_EQ(little.staging_bytes(), 17 * kMiB);
  WorkMemory enough(nullptr, staging, kAtOnce);
  EXPECT_EQ(enough.staging_bytes(), 33 * kMiB);

  auto rows = little.AdmitUpload(nullptr).ValueOrDie();
  ASSERT_TRUE(rows.Received(2 * kMiB, nullptr).ok());
  EXPECT_EQ(little.reserved_bytes(), (15 + 17) * kMiB);
}

}  // namespace
}  // namespace hangar
