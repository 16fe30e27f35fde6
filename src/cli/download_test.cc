#include "cli/download.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <arrow/io/interfaces.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar::cli {
namespace {

namespace fs = std::filesystem;

class DownloadTest : public testing::Test {
 protected:
  DownloadTest() {
    std::string pattern = testing::TempDir() + "hangar-download-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~DownloadTest() override { fs::remove_all(folder_); }

  static std::string Contents(const fs::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  int FilesInFolder() const {
    return static_cast<int>(std::distance(fs::directory_iterator(folder_), {}));
  }

  fs::path folder_;
};

TEST_F(DownloadTest, AppearsWholeUnderItsName) {
  const fs::path path = folder_ / "a.csv";
  auto download = *Download::Open(path);
  ASSERT_TRUE(download->stream()->Write("hello").ok());
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE(download->Commit().ok());
  EXPECT_EQ(Contents(path), "hello");
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(DownloadTest, HasThePermissionsOfAnyNewFile) {
  const fs::path path = folder_ / "a.csv";
  ASSERT_TRUE((*Download::Open(path))->Commit().ok());
  std::ofstream(folder_ / "b.csv") << "";
  EXPECT_EQ(fs::status(path).permissions(), fs::status(folder_ / "b.csv").permissions());
}

TEST_F(DownloadTest, LeavesWhatWasThereUntilItIsWhole) {
  const fs::path path = folder_ / "a.csv";
  std::ofstream(path) << "old";
  {
    auto download = *Download::Open(path);
    ASSERT_TRUE(download->stream()->Write("new").ok());
  }
  EXPECT_EQ(Contents(path), "old");
  EXPECT_EQ(FilesInFolder(), 1);
}

TEST_F(DownloadTest, ReplacesWhatALinkPointsTo) {
  std::ofstream(folder_ / "real") << "old";
  fs::create_symlink("real", folder_ / "link");
  auto download = *Download::Open(folder_ / "link");
  ASSERT_TRUE(download->stream()->Write("new").ok());
  ASSERT_TRUE(download->Commit().ok());
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(Contents(folder_ / "real"), "new");
}

TEST_F(DownloadTest, WritesToADeviceDirectly) {
  auto download = *Download::Open("/dev/null");
  ASSERT_TRUE(download->stream()->Write("new").ok());
  ASSERT_TRUE(download->Commit().ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(DownloadTest, RefusesAFolderAndAMissingOne) {
  EXPECT_EQ(KindOf(Download::Open(folder_).status()), ErrorKind::kInvalidArgument);
  const auto status = Download::Open(folder_ / "missing" / "a.csv").status();
  EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
  EXPECT_THAT(status.message(), testing::HasSubstr("No such file or directory"));
}

TEST_F(DownloadTest, ASignalRemovesThePartAndEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const fs::path path = folder_ / "a.csv";
    // The folder is looked at after the child is gone; what the child shows is how it ended.
    EXPECT_EXIT(
        {
          ::signal(signal, SIG_DFL);
          auto download = *Download::Open(path);
          if (!download->stream()->Write("half").ok() || FilesInFolder() != 1) _exit(1);
          kill(getpid(), signal);
          while (true) pause();
        },
        testing::KilledBySignal(signal), "");
    EXPECT_EQ(FilesInFolder(), 0) << signal;
  }
}

}  // namespace
}  // namespace hangar::cli
