#include "access/credential_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <vector>

#include <arrow/testing/gtest_util.h>
#include <gtest/gtest.h>

#include "access/access_test_support.h"
#include "base/error.h"

namespace hangar {
namespace {

mode_t ModeOf(const std::string& path) {
  struct stat state{};
  EXPECT_EQ(::stat(path.c_str(), &state), 0);
  return state.st_mode & 07777;
}

size_t CountFiles(const std::string& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

class CredentialFile : public ::testing::Test {
 protected:
  arrow::Status Write(const std::string& text) {
    return ChangeCredentialFile(path_, [&](const std::string&) { return text; });
  }

  const TestFolder folder_;
  const std::string path_ = folder_ / "tokens.toml";
};

TEST_F(CredentialFile, ANewFileIsItsOwnersAlone) {
  ASSERT_OK(Write("new"));
  EXPECT_EQ(ReadAll(path_), "new");
  EXPECT_EQ(ModeOf(path_), 0600u);
  EXPECT_EQ(CountFiles(folder_ / ""), 1u);
}

TEST_F(CredentialFile, AGroupThatCouldReadStillCanAndOthersCannot) {
  folder_.Write("tokens.toml", "old");
  ASSERT_EQ(::chmod(path_.c_str(), 0644), 0);
  ASSERT_OK(Write("new"));
  EXPECT_EQ(ModeOf(path_), 0640u);
}

TEST_F(CredentialFile, TheOwnerStaysSoThatTheServerCanStillReadIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  folder_.Write("tokens.toml", "old");
  ASSERT_EQ(::chown(path_.c_str(), 65534, 65534), 0);
  ASSERT_OK(Write("new"));
  struct stat state{};
  ASSERT_EQ(::stat(path_.c_str(), &state), 0);
  EXPECT_EQ(state.st_uid, 65534u);
  EXPECT_EQ(state.st_gid, 65534u);
}

TEST_F(CredentialFile, AChangeThatFailsLeavesTheFileAsItWas) {
  ASSERT_OK(Write("old"));
  const auto status = ChangeCredentialFile(path_, [](const std::string& text) {
    EXPECT_EQ(text, "old");
    return arrow::Result<std::string>(MakeError(ErrorKind::kNotFound, "no"));
  });
  EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
  EXPECT_EQ(ReadAll(path_), "old");
  EXPECT_EQ(CountFiles(folder_ / ""), 1u);
}

TEST_F(CredentialFile, ALinkStaysALink) {
  std::filesystem::create_directory(folder_ / "elsewhere");
  folder_.Write("elsewhere/real.toml", "old");
  std::filesystem::create_symlink("elsewhere/real.toml", path_);
  ASSERT_OK(Write("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
  EXPECT_EQ(ReadAll(folder_ / "elsewhere/real.toml"), "new");
}

TEST_F(CredentialFile, ChangesAtTheSameTimeComeOneAfterTheOther) {
  constexpr int kThreads = 8;
  constexpr int kChanges = 25;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kChanges; ++j) {
        const auto status =
            ChangeCredentialFile(path_, [](const std::string& text) { return text + "x"; });
        if (!status.ok()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(ReadAll(path_), std::string(kThreads * kChanges, 'x'));
}

TEST_F(CredentialFile, WhatCannotBeReadOrWrittenIsSaid) {
  EXPECT_EQ(KindOf(ReadCredentialFile(path_).status()), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(ReadCredentialFile(folder_ / "").status()), ErrorKind::kFailedPrecondition);
  const auto no_folder =
      ChangeCredentialFile(folder_ / "no/tokens.toml", [](const std::string&) { return "new"; });
  EXPECT_EQ(KindOf(no_folder), ErrorKind::kFailedPrecondition);
}

}  // namespace
}  // namespace hangar
