#include "store/disk_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/test_support.h"
#include "tests/support/recording_logger.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kPartBytes = 100'000;

class DiskCacheTest : public ::testing::Test {
 protected:
  std::shared_ptr<DiskCache> Open(int64_t capacity_bytes = 16 << 20,
                                  const std::string& origin = "bucket") {
    return DiskCache::Open(
               {.folder = Folder().string(), .capacity_bytes = capacity_bytes, .origin = origin},
               logger_)
        .ValueOrDie();
  }

  std::filesystem::path Folder() const { return folder_.path() / "cache"; }

  static DiskCache::Unit Part(int number, std::string_view version = "v") {
    return {.key = "t", .version = version, .offset = number * kPartBytes, .length = kPartBytes};
  }
  static std::string Bytes(int number) {
    std::string bytes(kPartBytes, static_cast<char>('a' + number % 26));
    bytes.replace(0, 8, std::to_string(10'000'000 + number));
    return bytes;
  }
  static void Insert(DiskCache& cache, int number) {
    cache.Insert(Part(number), Bytes(number).data());
  }
  /// What the cache gives for a part, "" when nothing.
  static std::string Read(DiskCache& cache, const DiskCache::Unit& unit) {
    std::string bytes(static_cast<size_t>(unit.length), '?');
    return cache.Read(unit, bytes.data()) ? bytes : "";
  }

  std::vector<std::filesystem::path> Files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(Folder())) {
      if (entry.path().filename() != "lock") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
  }
  int64_t BytesOnDisk() const {
    int64_t bytes = 0;
    for (const auto& file : Files())
      bytes += static_cast<int64_t>(std::filesystem::file_size(file));
    return bytes;
  }

  const TemporaryFolder folder_;
  const std::shared_ptr<RecordingLogger> logger_ = std::make_shared<RecordingLogger>();
};

TEST_F(DiskCacheTest, GivesBackWhatWasPutInAndNothingElse) {
  const auto cache = Open();
  Insert(*cache, 1);
  EXPECT_TRUE(cache->Has(Part(1)));
  EXPECT_EQ(Read(*cache, Part(1)), Bytes(1));
  EXPECT_EQ(Read(*cache, Part(2)), "");
  EXPECT_EQ(Read(*cache, Part(1, "another version")), "");
  EXPECT_EQ(Read(*cache, {.key = "u", .version = "v", .offset = kPartBytes, .length = kPartBytes}),
            "");
  EXPECT_EQ(Read(*cache, {.key = "t", .version = "v", .offset = kPartBytes, .length = 10}), "");
  EXPECT_EQ(cache->stats().hits, 1);
  EXPECT_EQ(cache->stats().misses, 4);
}

TEST_F(DiskCacheTest, SurvivesARestart) {
  for (int round = 0; round < 3; ++round) {
    const auto cache = Open();
    for (int number = 0; number < 10 * round; ++number) {
      EXPECT_EQ(Read(*cache, Part(number)), Bytes(number)) << number;
    }
    for (int number = 0; number < 10; ++number) Insert(*cache, 10 * round + number);
    EXPECT_EQ(cache->bytes(), BytesOnDisk());
  }
}

TEST_F(DiskCacheTest, WhatIsDiscardedIsGoneForLaterProcessesToo) {
  for (int round = 0; round < 2; ++round) {
    const auto cache = Open();
    for (int number = 0; number < 3; ++number) Insert(*cache, number);
    cache->Discard(Part(1));
    cache->Discard(Part(1));
    cache->Discard(Part(7));
    EXPECT_FALSE(cache->Has(Part(1)));
    EXPECT_EQ(Read(*cache, Part(1)), "");
  }
  const auto cache = Open();
  EXPECT_EQ(Read(*cache, Part(0)), Bytes(0));
  EXPECT_EQ(Read(*cache, Part(1)), "");
  EXPECT_EQ(Read(*cache, Part(2)), Bytes(2));
  Insert(*cache, 1);
  EXPECT_EQ(Read(*cache, Part(1)), Bytes(1));
}

TEST_F(DiskCacheTest, PartsOfAnotherBucketAreNotFound) {
  Insert(*Open(), 1);
  EXPECT_EQ(Read(*Open(16 << 20, "another bucket"), Part(1)), "");
}

TEST_F(DiskCacheTest, NeverTakesMoreThanItMay) {
  constexpr int64_t kCapacity = 4 << 20;
  const auto cache = Open(kCapacity);
  for (int number = 0; number < 200; ++number) {
    Insert(*cache, number);
    if (number > 3) Read(*cache, Part(3));
    EXPECT_LE(BytesOnDisk(), kCapacity);
    EXPECT_EQ(cache->bytes(), BytesOnDisk());
    EXPECT_EQ(Read(*cache, Part(number)), Bytes(number));
  }
  EXPECT_GT(cache->stats().evictions, 100);
}

TEST_F(DiskCacheTest, WhatIsUsedStaysAndWhatIsNotGoes) {
  const auto cache = Open(4 << 20);
  for (int number = 0; number < 200; ++number) {
    Insert(*cache, number);
    if (number >= 3) EXPECT_EQ(Read(*cache, Part(3)), Bytes(3)) << number;
  }
  EXPECT_EQ(Read(*cache, Part(4)), "");
}

TEST_F(DiskCacheTest, ASmallerOneThanBeforeShrinks) {
  {
    const auto cache = Open(8 << 20);
    for (int number = 0; number < 80; ++number) Insert(*cache, number);
  }
  const auto cache = Open(5 << 20);
  EXPECT_LE(BytesOnDisk(), 5 << 20);
  EXPECT_EQ(Read(*cache, Part(79)), Bytes(79));
}

TEST_F(DiskCacheTest, ADamagedPartIsDroppedAndCounted) {
  const auto cache = Open();
  for (int number = 0; number < 3; ++number) Insert(*cache, number);
  {
    std::fstream file(Files().at(0), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kPartBytes + kPartBytes / 2);
    file.put('!');
  }
  EXPECT_EQ(Read(*cache, Part(0)), Bytes(0));
  EXPECT_EQ(Read(*cache, Part(1)), "");
  EXPECT_FALSE(cache->Has(Part(1)));
  EXPECT_EQ(Read(*cache, Part(2)), Bytes(2));
  EXPECT_EQ(cache->stats().errors, 1);
  Insert(*cache, 1);
  EXPECT_EQ(Read(*cache, Part(1)), Bytes(1));
}

TEST_F(DiskCacheTest, ATornTailIsCutOffAndTheRestIsThere) {
  for (const int64_t torn_bytes : {1, 60, 70'000, 100'040}) {
    std::filesystem::remove_all(Folder());
    {
      const auto cache = Open();
      for (int number = 0; number < 3; ++number) Insert(*cache, number);
    }
    const auto size = static_cast<int64_t>(std::filesystem::file_size(Files().at(0)));
    std::filesystem::resize_file(Files().at(0), static_cast<uintmax_t>(size - torn_bytes));
    const auto cache = Open();
    EXPECT_EQ(Read(*cache, Part(0)), Bytes(0));
    EXPECT_EQ(Read(*cache, Part(1)), Bytes(1));
    EXPECT_EQ(Read(*cache, Part(2)), "");
    EXPECT_EQ(cache->bytes(), BytesOnDisk());
  }
}

TEST_F(DiskCacheTest, FilesOfAnythingElseAreNoHarm) {
  Insert(*Open(), 1);
  for (const char* name : {"000000000007.parts", "x.parts", "notes.txt"}) {
    std::ofstream(Folder() / name) << std::string(100'000, 'x');
  }
  const auto cache = Open();
  EXPECT_EQ(Read(*cache, Part(1)), Bytes(1));
  Insert(*cache, 2);
  EXPECT_EQ(Read(*cache, Part(2)), Bytes(2));
}

TEST_F(DiskCacheTest, FilesThatAreTakenAwayWhileItRunsAreNoHarm) {
  const auto cache = Open(4 << 20);
  for (int number = 0; number < 20; ++number) Insert(*cache, number);
  for (const auto& file : Files()) std::filesystem::resize_file(file, 0);
  for (int number = 0; number < 20; ++number) EXPECT_EQ(Read(*cache, Part(number)), "");
  std::filesystem::remove_all(Folder());
  for (int number = 0; number < 100; ++number) Insert(*cache, number);
  EXPECT_EQ(std::ranges::count_if(logger_->lines(),
                                  [](const std::string& line) { return line.contains("fails"); }),
            1);
}

TEST_F(DiskCacheTest, IsItsOwnersAlone) {
  const auto cache = Open();
  Insert(*cache, 1);
  struct stat state{};
  ASSERT_EQ(::stat(Folder().c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0700U);
  ASSERT_EQ(::stat(Files().at(0).c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600U);
}

TEST_F(DiskCacheTest, AFolderThatOthersUseOrMayWriteToIsRefused) {
  const DiskCache::Options options{.folder = Folder().string(), .capacity_bytes = 1 << 20};
  {
    const auto cache = Open();
    const auto second = DiskCache::Open(options, logger_);
    EXPECT_EQ(KindOf(second.status()), ErrorKind::kFailedPrecondition);
    EXPECT_THAT(second.status().message(), HasSubstr("another server"));
  }
  ASSERT_EQ(::chmod(Folder().c_str(), 0777), 0);
  const auto open_to_all = DiskCache::Open(options, logger_);
  EXPECT_THAT(open_to_all.status().message(), HasSubstr("others"));
}

TEST_F(DiskCacheTest, ManyThreadsGetWhatTheyAskForOrNothing) {
  const auto cache = Open(4 << 20);
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int round = 0; round < 200; ++round) {
        const int number = (round * 7 + thread * 13) % 90;
        const std::string read = Read(*cache, Part(number));
        if (!read.empty() && read != Bytes(number)) ++wrong;
        if (read.empty()) Insert(*cache, number);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(BytesOnDisk(), 4 << 20);
  EXPECT_GT(cache->stats().hits, 0);
  EXPECT_EQ(cache->stats().errors, 0);
}

}  // namespace
}  // namespace hangar
