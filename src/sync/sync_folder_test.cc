#include "sync/sync_folder.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <arrow/util/io_util.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::sync {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class SyncFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(root_ / "in");
    fs::create_directories(root_ / "out");
    ASSERT_TRUE(folder_->Lock().ok());
  }

  void Write(const fs::path& path, const std::string& bytes) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << bytes;
  }
  std::string Read(const fs::path& path) {
    std::ifstream file(root_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  arrow::Result<LocalFile> Receive(const std::string& path, const std::string& bytes,
                                   const LocalFile* expected) {
    ARROW_ASSIGN_OR_RAISE(const auto incoming, folder_->Receive(path));
    ARROW_RETURN_NOT_OK(incoming->Write(bytes));
    ARROW_RETURN_NOT_OK(incoming->Seal());
    return incoming->Publish(expected);
  }
  // What the sync has in the folder beside its files.
  std::vector<std::string> Own() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root_ / "in/.hangar-sync")) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  const std::unique_ptr<arrow::internal::TemporaryDir> temporary_ =
      *arrow::internal::TemporaryDir::Make("hangar-folder-");
  const fs::path root_ = temporary_->path().ToString();
  std::unique_ptr<SyncFolder> folder_ = *SyncFolder::Open(root_ / "in/", /*make=*/true);
};

TEST_F(SyncFolderTest, FindsParquetFilesInAllFoldersButHiddenOnes) {
  for (const char* name : {"in/a.parquet", "in/b/c/d.parquet", "in/x.csv", "in/.h.parquet",
                           "in/.hidden/e.parquet", "in/b/.hangar-sync/f.parquet"}) {
    Write(name, "12345");
  }
  const FolderContents contents = folder_->Scan().ValueOrDie();
  EXPECT_THAT(contents.files,
              ElementsAre(Pair("a.parquet", testing::_), Pair("b/c/d.parquet", testing::_)));
  EXPECT_EQ(contents.files.at("a.parquet").bytes, 5);
  EXPECT_EQ(contents.files.at("a.parquet"), *folder_->Look("a.parquet"));
  EXPECT_THAT(contents.problems, testing::IsEmpty());
}

TEST_F(SyncFolderTest, TellsOfFilesThatNoDatasetCanBeCalledAs) {
  Write("in/back\\slash.parquet", "1");
  Write("in/_hangar.parquet", "1");
  EXPECT_EQ(folder_->Scan()->problems.size(), 2u);
}

TEST_F(SyncFolderTest, FollowsNoLinks) {
  Write("out/secret.parquet", "1");
  fs::create_directory_symlink(root_ / "out", root_ / "in/folder");
  fs::create_symlink(root_ / "out/secret.parquet", root_ / "in/file.parquet");
  const FolderContents contents = folder_->Scan().ValueOrDie();
  EXPECT_TRUE(contents.files.empty());
  EXPECT_EQ(contents.links, 2);
  for (const char* path : {"folder/secret.parquet", "file.parquet"}) {
    EXPECT_EQ(KindOf(folder_->Look(path).status()), ErrorKind::kFailedPrecondition) << path;
    EXPECT_EQ(KindOf(Receive(path, "2", nullptr).status()), ErrorKind::kFailedPrecondition);
    EXPECT_FALSE(folder_->Remove(path, {}).ok());
  }
  EXPECT_EQ(KindOf(Receive("folder/new.parquet", "2", nullptr).status()),
            ErrorKind::kFailedPrecondition);
  EXPECT_EQ(Read("out/secret.parquet"), "1");
  EXPECT_FALSE(fs::exists(root_ / "out/new.parquet"));
}

TEST_F(SyncFolderTest, PutsAFileInItsPlaceInOneStep) {
  const LocalFile first = Receive("a/b.parquet", "one", nullptr).ValueOrDie();
  EXPECT_EQ(Read("in/a/b.parquet"), "one");
  EXPECT_EQ(first, *folder_->Look("a/b.parquet"));
  ASSERT_TRUE(Receive("a/b.parquet", "two", &first).ok());
  EXPECT_EQ(Read("in/a/b.parquet"), "two");
  EXPECT_THAT(Own(), ElementsAre("lock"));
}

TEST_F(SyncFolderTest, ReplacesAndRemovesOnlyWhatItExpects) {
  Write("in/a.parquet", "mine");
  const LocalFile other{.bytes = 4, .modified_ns = 1};
  EXPECT_THAT(Receive("a.parquet", "theirs", nullptr).status().message(),
              HasSubstr("changed meanwhile"));
  EXPECT_THAT(Receive("a.parquet", "theirs", &other).status().message(),
              HasSubstr("changed meanwhile"));
  EXPECT_THAT(folder_->Remove("a.parquet", other).message(), HasSubstr("changed meanwhile"));
  EXPECT_EQ(Read("in/a.parquet"), "mine");
  EXPECT_THAT(Own(), ElementsAre("lock"));
}

TEST_F(SyncFolderTest, RemovesFoldersThatAreEmptyThen) {
  Write("in/a/b/c.parquet", "1");
  Write("in/a/d.parquet", "1");
  ASSERT_TRUE(folder_->Remove("a/b/c.parquet", *folder_->Look("a/b/c.parquet")).ok());
  EXPECT_FALSE(fs::exists(root_ / "in/a/b"));
  EXPECT_TRUE(fs::exists(root_ / "in/a/d.parquet"));
  ASSERT_TRUE(folder_->Remove("a/d.parquet", *folder_->Look("a/d.parquet")).ok());
  EXPECT_TRUE(fs::exists(root_ / "in"));
}

TEST_F(SyncFolderTest, KeepsASecondSyncOut) {
  const auto second = SyncFolder::Open(root_ / "in", /*make=*/false).ValueOrDie();
  EXPECT_EQ(KindOf(second->Lock()), ErrorKind::kUnavailable);
}

TEST_F(SyncFolderTest, ClearsAwayWhatAKilledSyncLeft) {
  Write("in/.hangar-sync/7.part", "half");
  folder_.reset();
  folder_ = SyncFolder::Open(root_ / "in", /*make=*/false).ValueOrDie();
  ASSERT_TRUE(folder_->Lock().ok());
  EXPECT_THAT(Own(), ElementsAre("lock"));
}

TEST_F(SyncFolderTest, NothingArrivesOnceItIsBeingEnded) {
  const auto incoming = folder_->Receive("a.parquet").ValueOrDie();
  ASSERT_TRUE(incoming->Write("half").ok());
  folder_->EndIncoming();
  EXPECT_EQ(KindOf(folder_->Receive("b.parquet").status()), ErrorKind::kUnavailable);
  EXPECT_THAT(Own(), ElementsAre("lock"));
}

TEST_F(SyncFolderTest, GivesTheDigestThatSha256sumGives) {
  Write("in/a.parquet", "abc");
  EXPECT_EQ(*folder_->Digest("a.parquet"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SyncFolder, HasToBeThere) {
  EXPECT_EQ(KindOf(SyncFolder::Open("/no/such/folder", /*make=*/false).status()),
            ErrorKind::kNotFound);
}

}  // namespace
}  // namespace hangar::sync
