#include "sync/sync_names.h"

#include <string>

#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::sync {
namespace {

TEST(ParseSyncSides, TakesTheSideThatCannotBeANameForTheFolder) {
  for (const char* folder : {".", "./a", "../a", "/a", ".hidden"}) {
    const auto up = ParseSyncSides(folder, "sales").ValueOrDie();
    EXPECT_EQ(up.direction, SyncDirection::kUp);
    EXPECT_EQ(up.folder, folder);
    EXPECT_EQ(up.prefix, "sales");
    const auto down = ParseSyncSides("sales/2026/", folder).ValueOrDie();
    EXPECT_EQ(down.direction, SyncDirection::kDown);
    EXPECT_EQ(down.folder, folder);
    EXPECT_EQ(down.prefix, "sales/2026");
  }
  EXPECT_EQ(ParseSyncSides("", "./all")->prefix, "");
}

TEST(ParseSyncSides, RefusesTwoFoldersAndNone) {
  EXPECT_EQ(KindOf(ParseSyncSides("./a", "/b").status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(ParseSyncSides("a", "b").status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(ParseSyncSides("./a", "b//c").status()), ErrorKind::kInvalidArgument);
}

TEST(CheckSyncPath, RefusesWhatCouldLeadElsewhere) {
  for (const std::string& path :
       {std::string("../a.parquet"), std::string("/etc/a.parquet"),
        std::string("a/../../b.parquet"), std::string("a//b.parquet"), std::string("a/./b.parquet"),
        std::string(".a.parquet"), std::string("a/.hangar-sync/b.parquet"), std::string(),
        std::string("a/"), std::string("a\\b.parquet"), std::string("a\n.parquet"),
        std::string("a\0b", 3), std::string("\xff.parquet"), std::string("_hangar/x.parquet"),
        std::string(256, 'a'), std::string("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17")}) {
    EXPECT_EQ(KindOf(CheckSyncPath(path)), ErrorKind::kInvalidArgument) << path;
  }
  for (const char* path :
       {"a.parquet", "a/b c/ä.parquet", "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "a..b.parquet"}) {
    EXPECT_TRUE(CheckSyncPath(path).ok()) << path;
  }
}

TEST(DatasetAt, PutsThePrefixBefore) {
  EXPECT_EQ(DatasetAt("sales", "a/b.parquet"), "sales/a/b.parquet");
  EXPECT_EQ(DatasetAt("", "a.parquet"), "a.parquet");
}

}  // namespace
}  // namespace hangar::sync
