#include "sync/sync_state.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <arrow/util/io_util.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::sync {
namespace {

class SyncStateTest : public testing::Test {
 protected:
  const std::unique_ptr<arrow::internal::TemporaryDir> folder_ =
      *arrow::internal::TemporaryDir::Make("hangar-state-");
  const std::string path_ = folder_->path().ToString() + ".hangar-sync/state.json";
};

const SyncedFiles kFiles = {
    {"a.parquet", {.version = "v", .local = {.bytes = 5, .modified_ns = 7}, .sha256 = "x"}}};

TEST_F(SyncStateTest, ComesBack) {
  auto state = SyncState::Load(path_, "grpc://h:1", "sales").ValueOrDie();
  EXPECT_EQ(state.files, SyncedFiles());
  state.files = kFiles;
  ASSERT_TRUE(state.Save().ok());
  EXPECT_EQ(SyncState::Load(path_, "grpc://h:1", "sales")->files, kFiles);
}

TEST_F(SyncStateTest, IsKeptForEachServerAndPrefix) {
  auto one = SyncState::Load(path_, "grpc://h:1", "sales").ValueOrDie();
  one.files = kFiles;
  ASSERT_TRUE(one.Save().ok());
  auto other = SyncState::Load(path_, "grpc://h:1", "stock").ValueOrDie();
  EXPECT_EQ(other.files, SyncedFiles());
  ASSERT_TRUE(other.Save().ok());
  EXPECT_EQ(SyncState::Load(path_, "grpc://h:1", "sales")->files, kFiles);
  EXPECT_EQ(SyncState::Load(path_, "grpc://g:1", "sales")->files, SyncedFiles());
}

TEST_F(SyncStateTest, RefusesAnotherFile) {
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path());
  for (const char* text :
       {"", "no json", "[]", "{}", R"({"remotes": {"grpc://h:1 sales": {"a": {"version": 1}}}})"}) {
    std::ofstream(path_) << text;
    std::filesystem::permissions(path_, std::filesystem::perms(0600));
    EXPECT_EQ(KindOf(SyncState::Load(path_, "grpc://h:1", "sales").status()),
              ErrorKind::kFailedPrecondition)
        << text;
  }
}

}  // namespace
}  // namespace hangar::sync
