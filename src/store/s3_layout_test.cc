#include "store/s3_layout.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(IsS3Dataset, IsWhatHasNoHiddenSegmentAndIsNoFoldersMarker) {
  for (const char* key : {"a", "a/b.parquet", "a b", "a/_b", "été/日本"}) {
    EXPECT_TRUE(IsS3Dataset(key)) << key;
  }
  for (const char* key : {"", "a/", ".a", "a/.b", "_hangar/x", "a/_hangar/b", "_hangarx"}) {
    EXPECT_FALSE(IsS3Dataset(key)) << key;
  }
}

TEST(S3HistoryFolderOf, GivesTheKeyBackAndSortsAsKeysDo) {
  std::vector<std::string> keys = {"a",  "a ",  "a  ", "a !", "a!",  "a! b", "a b",
                                   "a-", "a/b", "a.b", "a0",  "b/c", "!",    "日本"};
  std::ranges::sort(keys);
  std::vector<std::string> folders;
  for (const std::string& key : keys) {
    folders.push_back(S3HistoryFolderOf(key));
    EXPECT_EQ(KeyOfS3HistoryFolder(folders.back()), key);
    // Nothing that stands in the folder is taken for another key's.
    EXPECT_EQ(folders.back().find(' '), folders.back().size() - 1);
  }
  EXPECT_TRUE(std::ranges::is_sorted(folders));
}

TEST(KeyOfS3HistoryFolder, IsNothingForOtherNames) {
  for (const char* folder : {"", "a", "a!", "a! ", "a!c "}) {
    EXPECT_EQ(KeyOfS3HistoryFolder(folder), std::nullopt) << folder;
  }
}

TEST(S3HistoryName, ComesBackAsItWas) {
  const Timestamp time(std::chrono::nanoseconds(1'700'000'000'123'456'789));
  const Timestamp modified(std::chrono::seconds(1'600'000'000));
  for (const RetiredBy by : {RetiredBy::kReplaced, RetiredBy::kDropped, RetiredBy::kRenamed}) {
    const S3HistoryName name{
        .time = time, .by = by, .modified = modified, .version = "d41d8cd98f00b204-12"};
    const auto parsed = ParseS3HistoryName(name.ToString());
    ASSERT_TRUE(parsed.has_value()) << name.ToString();
    EXPECT_EQ(parsed->kind, S3HistoryName::Kind::kEntry);
    EXPECT_EQ(parsed->time, time);
    EXPECT_EQ(parsed->by, by);
    EXPECT_EQ(parsed->modified, modified);
    EXPECT_EQ(parsed->version, name.version);
  }
  for (const auto kind : {S3HistoryName::Kind::kHeld, S3HistoryName::Kind::kMoved}) {
    const S3HistoryName name{.kind = kind, .time = time, .version = "0-1"};
    const auto parsed = ParseS3HistoryName(name.ToString());
    ASSERT_TRUE(parsed.has_value()) << name.ToString();
    EXPECT_EQ(parsed->kind, kind);
    EXPECT_EQ(parsed->time, time);
    EXPECT_EQ(parsed->version, "0-1");
  }
}

TEST(ParseS3HistoryName, IsNothingForOtherNames) {
  for (const char* name :
       {"", "a", "held-", "held-1-x", "1700000000123456789", "1700000000123456789-dropped",
        "1700000000123456789-gone-1600000000000000000-x",
        "1700000000123456789-dropped-1600000000000000000-", "moved-1700000000123456789-"}) {
    EXPECT_FALSE(ParseS3HistoryName(name).has_value()) << name;
  }
}

TEST(S3PartBytes, MakesTheLargestObjectOfTenThousandParts) {
  int64_t bytes = 0;
  for (int part = 0; part < 10'000; ++part) {
    EXPECT_GE(S3PartBytes(part), 5LL << 20);
    EXPECT_LE(S3PartBytes(part), 5LL << 30);
    bytes += S3PartBytes(part);
  }
  EXPECT_GE(bytes, 5LL << 40);
}

}  // namespace
}  // namespace hangar
