#include "store/local_store.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_support.h"

namespace hangar {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

int64_t CountEntries(const fs::path& folder) {
  const fs::directory_iterator entries(folder);
  return std::distance(begin(entries), end(entries));
}

class LocalStoreTest : public ::testing::Test {
 protected:
  LocalStoreTest() : root_(folder_.path() / "root"), outside_(folder_.path() / "outside") {
    store_ = LocalStore::Make(root_).ValueOrDie();
    WriteForeignFile(outside_ / "file", "secret");
    WriteForeignFile(outside_ / "folder" / "file", "secret");
  }

  ObjectStore& store() { return *store_; }
  std::vector<std::string> Keys() { return ListKeys(*store_).ValueOrDie(); }
  int64_t CountStaged() const { return CountEntries(root_ / "_hangar" / "staging"); }

  const TemporaryFolder folder_;
  const fs::path root_;
  const fs::path outside_;
  std::shared_ptr<ObjectStore> store_;
};

// ---- Other processes ----

// In a child: says on standard error what did not hold, and ends with failure.
#define CHILD_CHECK(condition)                                                       \
  if (!(condition)) {                                                                \
    std::fprintf(stderr, "%s:%d: in a child: %s\n", __FILE__, __LINE__, #condition); \
    return 1;                                                                        \
  }                                                                                  \
  static_assert(true)

constexpr int kNotPermitted = 77;

// Runs `work` in a child, which then ends without any destructor or handler, as if it was killed.
pid_t Fork(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

int ExitCodeOf(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int RunInChild(const std::function<int()>& work) { return ExitCodeOf(Fork(work)); }

// From here on the permissions of files hold for this process, root or not.
bool DropCapabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, 2> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0;
}

bool IsError(ErrorKind kind, const arrow::Status& status) {
  if (!status.ok() && KindOf(status) == kind && !status.message().contains(" /") &&
      !status.message().contains("'/")) {
    return true;
  }
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return false;
}

// ---- Opening ----

TEST(LocalStoreMake, MakesMissingFolders) {
  const TemporaryFolder folder;
  ExpectOk(LocalStore::Make(folder.path() / "a" / "b"));
  EXPECT_TRUE(fs::is_directory(folder.path() / "a" / "b" / "_hangar" / "staging"));
  EXPECT_EQ(fs::status(folder.path() / "a" / "b" / "_hangar").permissions(), fs::perms::owner_all);
}

TEST(LocalStoreMake, SaysWhichFolderCannotBeUsedAndWhy) {
  const TemporaryFolder folder;
  const auto message = [](const std::string& path, ErrorKind kind) {
    const arrow::Status status = LocalStore::Make(path).status();
    EXPECT_EQ(KindOf(status), kind) << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr(path));
    return status.message();
  };
  const std::string file = folder.path() / "file";
  WriteForeignFile(file, "x");
  EXPECT_THAT(message(file, ErrorKind::kFailedPrecondition), HasSubstr("is a file"));
  EXPECT_THAT(message(file + "/below", ErrorKind::kFailedPrecondition), HasSubstr("is a file"));
  message("", ErrorKind::kInvalidArgument);
  fs::create_directory(folder.path() / "taken");
  WriteForeignFile(folder.path() / "taken" / "_hangar", "x");
  message(folder.path() / "taken", ErrorKind::kFailedPrecondition);
}

TEST(LocalStoreMake, RefusesAFolderThatItMayNotWriteTo) {
  const TemporaryFolder folder;
  const std::string fresh = folder.path() / "fresh";
  const std::string used = folder.path() / "used";
  fs::create_directory(fresh);
  ExpectOk(LocalStore::Make(used));
  constexpr auto kReadOnly = fs::perms::owner_read | fs::perms::owner_exec;
  fs::permissions(fresh, kReadOnly);
  fs::permissions(used, kReadOnly);
  EXPECT_EQ(RunInChild([&] {
              CHILD_CHECK(DropCapabilities());
              for (const std::string& path : {fresh, used, fresh + "/below"}) {
                const arrow::Status status = LocalStore::Make(path).status();
                CHILD_CHECK(!status.ok());
                CHILD_CHECK(KindOf(status) == ErrorKind::kPermissionDenied);
                CHILD_CHECK(status.message().contains(path));
              }
              return 0;
            }),
            0);
}

TEST_F(LocalStoreTest, ReopeningShowsEverythingInTheSameVersion) {
  const ObjectInfo a = PutBytes(store(), "a", "1").ValueOrDie();
  const ObjectInfo b = PutBytes(store(), "b/c", "2").ValueOrDie();
  store_ = LocalStore::Make(root_).ValueOrDie();
  EXPECT_THAT(Keys(), ElementsAre("a", "b/c"));
  EXPECT_EQ(store().Stat("a").ValueOrDie().version, a.version);
  EXPECT_EQ(store().Stat("b/c").ValueOrDie().version, b.version);
  EXPECT_EQ(store().Stat("b/c").ValueOrDie().modified, b.modified);
  EXPECT_EQ(GetBytes(store(), "b/c").ValueOrDie(), "2");
}

// ---- Files ----

TEST_F(LocalStoreTest, AnObjectIsAPlainFileThatOthersMayRead) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ExpectOk(PutBytes(store(), "a/b.parquet", "bytes"));
  struct stat state{};
  ASSERT_EQ(::stat((root_ / "a" / "b.parquet").c_str(), &state), 0);
  EXPECT_TRUE(S_ISREG(state.st_mode));
  EXPECT_EQ(state.st_mode & 0777, 0666 & ~mask);
  EXPECT_EQ(state.st_nlink, 1u);
  std::ifstream file(root_ / "a" / "b.parquet");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "bytes");
}

TEST_F(LocalStoreTest, SealingSetsAPreciseTimeThatGrowsWithEachObject) {
  // The kernel's own stamp would be that of the last Append, and many would fit into one tick.
  Timestamp last{};
  for (int i = 0; i < 50; ++i) {
    const auto staged = store().Stage({}).ValueOrDie();
    ExpectOk(staged->Append("x", 1));
    const Timestamp before =
        std::chrono::time_point_cast<Timestamp::duration>(std::chrono::system_clock::now());
    ExpectOk(staged->Seal());
    const Timestamp modified = staged->OpenSealed().ValueOrDie()->info().modified;
    EXPECT_GE(modified, before);
    EXPECT_GT(modified, last);
    last = modified;
  }
}

TEST_F(LocalStoreTest, AFileOfAnotherToolIsAnObject) {
  WriteForeignFile(root_ / "x" / "y.parquet", "dropped");
  EXPECT_THAT(Keys(), ElementsAre("x/y.parquet"));
  EXPECT_EQ(GetBytes(store(), "x/y.parquet").ValueOrDie(), "dropped");
  const ObjectInfo info = store().Stat("x/y.parquet").ValueOrDie();
  ExpectError(ErrorKind::kAlreadyExists,
              PutBytes(store(), "x/y.parquet", "new", Precondition::Absent()));
  ExpectOk(PutBytes(store(), "x/y.parquet", "new", Precondition::Version(info.version)));
  ExpectOk(store().Delete("x/y.parquet", Precondition::None()));
  EXPECT_FALSE(fs::exists(root_ / "x"));
}

TEST_F(LocalStoreTest, AFileThatAnotherToolReplacesHasAnotherVersion) {
  const ObjectInfo before = PutBytes(store(), "a", "bytes").ValueOrDie();
  WriteForeignFile(root_ / "new", "bytes");
  fs::rename(root_ / "new", root_ / "a");
  EXPECT_NE(store().Stat("a").ValueOrDie().version, before.version);
  ExpectError(ErrorKind::kFailedPrecondition,
              store().Delete("a", Precondition::Version(before.version)));
}

TEST_F(LocalStoreTest, ChangingAFileInPlaceWhileItIsReadIsDataLoss) {
  const std::string bytes(100'000, 'x');
  const std::vector<std::function<void(const fs::path&)>> changes = {
      [](const fs::path& path) { std::fstream(path, std::ios::in | std::ios::out) << "y"; },
      [](const fs::path& path) { std::ofstream(path, std::ios::app) << "more"; },
      [](const fs::path& path) { fs::resize_file(path, 10); },
      [](const fs::path& path) { fs::resize_file(path, 0); },
  };
  for (const auto& change : changes) {
    ExpectOk(PutBytes(store(), "a", bytes));
    const auto reader = store().Open("a").ValueOrDie();
    std::string out(1000, '\0');
    ExpectOk(reader->ReadAt(50'000, 1000, out.data()));
    change(root_ / "a");
    ExpectError(ErrorKind::kDataLoss, reader->ReadAt(50'000, 1000, out.data()));
    ExpectError(ErrorKind::kDataLoss, reader->ReadAt(0, 1, out.data()));
    ExpectOk(GetBytes(store(), "a"));
  }
}

TEST_F(LocalStoreTest, ChangesThatLeaveTheBytesAloneDoNotDisturbAReader) {
  ExpectOk(PutBytes(store(), "a", "bytes"));
  const auto reader = store().Open("a").ValueOrDie();
  fs::permissions(root_ / "a", fs::perms::owner_read);
  fs::create_hard_link(root_ / "a", root_ / "b");
  fs::rename(root_ / "a", root_ / "c");
  EXPECT_EQ(ReadBytes(*reader).ValueOrDie(), "bytes");
}

TEST_F(LocalStoreTest, PipesAndOtherSpecialFilesAreNoObjectsAndHangNoOne) {
  ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0666), 0);
  ExpectError(ErrorKind::kNotFound, store().Stat("pipe"));
  ExpectError(ErrorKind::kNotFound, store().Open("pipe"));
  ExpectError(ErrorKind::kNotFound, store().Delete("pipe", Precondition::None()));
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "pipe", "x"));
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "pipe/below", "x"));
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_TRUE(fs::is_fifo(root_ / "pipe"));
}

TEST_F(LocalStoreTest, KeysThatAreNoPlainPathBelowTheRootAreRefused) {
  ExpectOk(PutBytes(store(), "a", "1"));
  const Precondition none = Precondition::None();
  for (const char* key : {"", "..", "../outside/file", "a/../a", "/etc/passwd", "a/", "a//b", ".a",
                          "_hangar/lock", "_hangar/staging/x", "b/.c", "\xff"}) {
    ExpectError(ErrorKind::kInvalidArgument, store().Stat(key));
    ExpectError(ErrorKind::kInvalidArgument, store().Open(key));
    ExpectError(ErrorKind::kInvalidArgument, store().Delete(key, none));
    ExpectError(ErrorKind::kInvalidArgument, PutBytes(store(), key, "x"));
    ExpectError(ErrorKind::kInvalidArgument, store().Rename("a", key, none, none));
    ExpectError(ErrorKind::kInvalidArgument, store().Rename(key, "a", none, none));
  }
  EXPECT_THAT(Keys(), ElementsAre("a"));
  EXPECT_EQ(CountStaged(), 0);
}

TEST_F(LocalStoreTest, ANameTooLongForTheFileSystemIsTheCallersMistake) {
  const std::string name(256, 'x');
  ExpectError(ErrorKind::kInvalidArgument, store().Stat(name));
  ExpectError(ErrorKind::kInvalidArgument, PutBytes(store(), name + "/a", "x"));
  ExpectError(ErrorKind::kInvalidArgument, PutBytes(store(), "a/" + name, "x"));
  // Not even the folder that was made on the way.
  EXPECT_FALSE(fs::exists(root_ / "a"));
}

// ---- Folders ----

TEST_F(LocalStoreTest, EmptyFoldersGoWithTheirLastObject) {
  ExpectOk(PutBytes(store(), "a/b/c/d", "x"));
  ExpectOk(PutBytes(store(), "a/e", "x"));
  ExpectOk(store().Delete("a/b/c/d", Precondition::None()));
  EXPECT_FALSE(fs::exists(root_ / "a" / "b"));
  EXPECT_TRUE(fs::exists(root_ / "a" / "e"));
  ExpectOk(store().Rename("a/e", "f/g", Precondition::None(), Precondition::None()));
  EXPECT_FALSE(fs::exists(root_ / "a"));
  ExpectOk(store().Delete("f/g", Precondition::None()));
  EXPECT_EQ(CountEntries(root_), 1);  // The hidden folder.
}

TEST_F(LocalStoreTest, AnEmptyFolderIsNotInTheWay) {
  fs::create_directory(root_ / "a");
  ExpectError(ErrorKind::kNotFound, store().Stat("a"));
  ExpectOk(PutBytes(store(), "a", "1", Precondition::Absent()));
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  fs::create_directory(root_ / "b");
  ExpectOk(store().Rename("a", "b", Precondition::None(), Precondition::Absent()));
  EXPECT_THAT(Keys(), ElementsAre("b"));
}

TEST_F(LocalStoreTest, AFolderWithAnythingInItStays) {
  WriteForeignFile(root_ / "a" / ".notes", "x");
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "a", "1"));
  ExpectOk(PutBytes(store(), "a/b", "1"));
  ExpectOk(store().Delete("a/b", Precondition::None()));
  EXPECT_TRUE(fs::exists(root_ / "a" / ".notes"));
}

TEST_F(LocalStoreTest, HiddenStrangeAndTooDeepNamesAreNotListed) {
  WriteForeignFile(root_ / ".git" / "config", "x");
  WriteForeignFile(root_ / "a" / ".hidden", "x");
  WriteForeignFile(root_ / "_hangar_old" / "x", "x");
  WriteForeignFile(root_ / "bad\xff", "x");
  WriteForeignFile(root_ / "a" / "seen", "x");
  fs::path folder;
  for (int depth = 1; depth <= 15; ++depth) folder /= "d";
  WriteForeignFile(root_ / folder / "d" / "too-deep", "x");
  WriteForeignFile(root_ / folder / "deepest", "x");
  EXPECT_THAT(Keys(), ElementsAre("a/seen", folder.string() + "/deepest"));
}

TEST_F(LocalStoreTest, AFolderOfMoreNamesThanAreHeldIsListedWhole) {
  constexpr int kFiles = 33'000;
  std::vector<std::string> expected;
  fs::create_directory(root_ / "big");
  for (int i = 0; i < kFiles; ++i) {
    expected.push_back("big/" + std::to_string(i));
    if (i > 0) fs::create_hard_link(root_ / expected.front(), root_ / expected.back());
    if (i == 0) WriteForeignFile(root_ / expected.back(), "x");
  }
  ExpectOk(PutBytes(store(), "big/1-folder/x", "x"));
  expected.emplace_back("big/1-folder/x");
  ExpectOk(PutBytes(store(), "after", "x"));
  expected.emplace_back("after");
  std::ranges::sort(expected);
  EXPECT_TRUE(Keys() == expected);
  EXPECT_EQ(ListKeys(store(), {.prefix = "big/32999", .after = ""}).ValueOrDie().size(), 1u);
}

// ---- Links ----

TEST_F(LocalStoreTest, LinksOutOfTheRootLeadNowhere) {
  fs::create_symlink(outside_ / "file", root_ / "absolute-file");
  fs::create_symlink("../outside/file", root_ / "relative-file");
  fs::create_symlink(outside_ / "folder", root_ / "absolute-folder");
  fs::create_symlink("../outside/folder", root_ / "relative-folder");
  fs::create_symlink("loop", root_ / "loop");
  const Precondition none = Precondition::None();
  ExpectOk(PutBytes(store(), "mine", "1"));
  for (const std::string key : {"absolute-file", "relative-file", "absolute-folder/file",
                                "relative-folder/file", "loop", "loop/file"}) {
    ExpectError(ErrorKind::kNotFound, store().Stat(key));
    ExpectError(ErrorKind::kNotFound, store().Open(key));
    ExpectError(ErrorKind::kNotFound, store().Delete(key, none));
    ExpectError(ErrorKind::kNotFound, store().Rename(key, "x", none, none));
    ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), key, "x"));
    ExpectError(ErrorKind::kFailedPrecondition,
                PutBytes(store(), key, "x", Precondition::Absent()));
    ExpectError(ErrorKind::kFailedPrecondition, store().Rename("mine", key, none, none));
  }
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "relative-folder/new", "x"));
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "absolute-folder/a/b", "x"));
  EXPECT_THAT(Keys(), ElementsAre("mine"));
  EXPECT_EQ(CountEntries(outside_), 2);
  EXPECT_EQ(CountEntries(outside_ / "folder"), 1);
  EXPECT_TRUE(fs::is_symlink(root_ / "relative-file"));
  EXPECT_EQ(CountStaged(), 0);
}

TEST_F(LocalStoreTest, LinksWithinTheRootAreFollowed) {
  ExpectOk(PutBytes(store(), "real/a", "bytes"));
  fs::create_symlink("real/a", root_ / "link");
  fs::create_symlink("real", root_ / "link-folder");
  fs::create_symlink("../real/a", root_ / "real" / "zlink");
  EXPECT_THAT(Keys(),
              ElementsAre("link", "link-folder/a", "link-folder/zlink", "real/a", "real/zlink"));
  for (const std::string& key : Keys()) {
    EXPECT_EQ(GetBytes(store(), key).ValueOrDie(), "bytes");
    EXPECT_EQ(store().Stat(key).ValueOrDie().key, key);
  }
  ExpectOk(PutBytes(store(), "link-folder/b", "new"));
  EXPECT_EQ(GetBytes(store(), "real/b").ValueOrDie(), "new");
}

TEST_F(LocalStoreTest, DeletingOrReplacingALinkedObjectLeavesItsTarget) {
  ExpectOk(PutBytes(store(), "real", "bytes"));
  fs::create_symlink("real", root_ / "deleted");
  fs::create_symlink("real", root_ / "replaced");
  fs::create_symlink("missing", root_ / "dangling");
  ExpectOk(store().Delete("deleted", Precondition::None()));
  ExpectOk(PutBytes(store(), "replaced", "new"));
  ExpectError(ErrorKind::kNotFound, store().Stat("dangling"));
  ExpectError(ErrorKind::kFailedPrecondition, PutBytes(store(), "dangling/below", "x"));
  ExpectOk(PutBytes(store(), "dangling", "new"));
  EXPECT_FALSE(fs::is_symlink(root_ / "replaced"));
  EXPECT_EQ(GetBytes(store(), "real").ValueOrDie(), "bytes");
  EXPECT_THAT(Keys(), ElementsAre("dangling", "real", "replaced"));
}

TEST_F(LocalStoreTest, LinksInCirclesAndToTheHiddenFolderAreNotWalked) {
  ExpectOk(PutBytes(store(), "a/b/c", "x"));
  fs::create_symlink("../..", root_ / "a" / "b" / "up");
  fs::create_symlink("_hangar", root_ / "hidden");
  const auto staged = store().Stage({}).ValueOrDie();
  EXPECT_THAT(Keys(), ElementsAre("a/b/c"));
}

TEST_F(LocalStoreTest, LinksAndSecondNamesOfAFileAreNotRenamed) {
  const Precondition none = Precondition::None();
  ExpectOk(PutBytes(store(), "real/a", "bytes"));
  fs::create_symlink("real/a", root_ / "link");
  fs::create_symlink("real", root_ / "link-folder");
  fs::create_hard_link(root_ / "real" / "a", root_ / "hard");
  ExpectError(ErrorKind::kFailedPrecondition, store().Rename("link", "x", none, none));
  ExpectError(ErrorKind::kFailedPrecondition, store().Rename("hard", "real/a", none, none));
  ExpectError(ErrorKind::kFailedPrecondition,
              store().Rename("real/a", "link-folder/a", none, none));
  EXPECT_EQ(GetBytes(store(), "real/a").ValueOrDie(), "bytes");
  EXPECT_EQ(GetBytes(store(), "hard").ValueOrDie(), "bytes");
}

// ---- Permissions and space ----

TEST_F(LocalStoreTest, WhatPermissionsForbidIsDeniedAndNothingIsLost) {
  WriteForeignFile(root_ / "locked" / "a", "kept");
  WriteForeignFile(root_ / "closed" / "b", "x");
  WriteForeignFile(root_ / "open" / "c", "x");
  WriteForeignFile(root_ / "open" / "unreadable", "x");
  fs::permissions(root_ / "locked", fs::perms::owner_read | fs::perms::owner_exec);
  fs::permissions(root_ / "closed", fs::perms::none);
  fs::permissions(root_ / "open" / "unreadable", fs::perms::none);
  const auto work = [&] {
    constexpr ErrorKind kDenied = ErrorKind::kPermissionDenied;
    const Precondition none = Precondition::None();
    CHILD_CHECK(DropCapabilities());
    CHILD_CHECK(IsError(kDenied, PutBytes(store(), "locked/a", "x").status()));
    CHILD_CHECK(IsError(kDenied, PutBytes(store(), "locked/new", "x").status()));
    CHILD_CHECK(IsError(kDenied, PutBytes(store(), "locked/new/deep", "x").status()));
    CHILD_CHECK(IsError(kDenied, store().Delete("locked/a", none)));
    CHILD_CHECK(IsError(kDenied, store().Rename("locked/a", "x", none, none).status()));
    CHILD_CHECK(IsError(kDenied, store().Rename("open/c", "locked/c", none, none).status()));
    CHILD_CHECK(IsError(kDenied, store().Stat("closed/b").status()));
    CHILD_CHECK(IsError(kDenied, store().Open("open/unreadable").status()));
    CHILD_CHECK(IsError(kDenied, PutBytes(store(), "closed/b", "x").status()));
    CHILD_CHECK(GetBytes(store(), "locked/a").ValueOrDie() == "kept");
    const std::vector<std::string> listed = {"locked/a", "open/c", "open/unreadable"};
    CHILD_CHECK(Keys() == listed);
    CHILD_CHECK(CountStaged() == 0);
    fs::permissions(root_ / "_hangar" / "staging", fs::perms::owner_read | fs::perms::owner_exec);
    CHILD_CHECK(IsError(kDenied, store().Stage({}).status()));
    return 0;
  };
  EXPECT_EQ(RunInChild(work), 0);
  for (const char* folder : {"locked", "closed"}) {  // So that they can be removed.
    fs::permissions(root_ / folder, fs::perms::owner_all);
  }
}

// Makes a small disk of this process's own the current folder. It is attached nowhere, so it goes
// with the process.
bool EnterSmallDisk(const char* size_bytes) {
  if (::geteuid() != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
  const int disk = ::fsopen("tmpfs", FSOPEN_CLOEXEC);
  return disk >= 0 && ::fsconfig(disk, FSCONFIG_SET_STRING, "size", size_bytes, 0) == 0 &&
         ::fsconfig(disk, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0 &&
         ::fchdir(::fsmount(disk, FSMOUNT_CLOEXEC, 0)) == 0;
}

TEST_F(LocalStoreTest, AFullDiskRefusesTheUploadAndKeepsWhatWasThere) {
  const auto work = [] {
    if (!EnterSmallDisk("1048576")) return kNotPermitted;
    const auto small = LocalStore::Make(".").ValueOrDie();
    const std::string old(100'000, 'o');
    CHILD_CHECK(PutBytes(*small, "a", old).ok());
    {
      const auto staged = small->Stage({}).ValueOrDie();
      const std::string piece(64 << 10, 'n');
      arrow::Status status;
      int pieces = 0;
      while (status.ok() && pieces < 32) {
        status = staged->Append(piece.data(), static_cast<int64_t>(piece.size()));
        ++pieces;
      }
      CHILD_CHECK(IsError(ErrorKind::kStorageFull, status));
      CHILD_CHECK(status.message().contains("disk is full"));
      CHILD_CHECK(pieces > 4);
      // What failed once stays failed.
      CHILD_CHECK(IsError(ErrorKind::kInternal, staged->Append("x", 1)));
      CHILD_CHECK(IsError(ErrorKind::kInternal, staged->Seal()));
      CHILD_CHECK(IsError(ErrorKind::kInternal, staged->Publish("a", {}).status()));
    }
    CHILD_CHECK(CountEntries("_hangar/staging") == 0);
    CHILD_CHECK(GetBytes(*small, "a").ValueOrDie() == old);
    CHILD_CHECK(PutBytes(*small, "a", "fits").ok());
    return 0;
  };
  const int code = RunInChild(work);
  if (code == kNotPermitted) GTEST_SKIP() << "this system does not let the test make a small disk";
  EXPECT_EQ(code, 0);
}

TEST_F(LocalStoreTest, RunningOutOfFilesIsSaidSoAndEndsNoListingEarly) {
  ExpectOk(PutBytes(store(), "a/b", "x"));
  const auto work = [&] {
    const auto lister = store().List({}).ValueOrDie();
    std::vector<int> taken;
    for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.push_back(fd);
    CHILD_CHECK(errno == EMFILE);
    CHILD_CHECK(IsError(ErrorKind::kResourceExhausted, store().Stat("a/b").status()));
    CHILD_CHECK(IsError(ErrorKind::kResourceExhausted, store().Stage({}).status()));
    CHILD_CHECK(IsError(ErrorKind::kResourceExhausted, lister->Next().status()));
    return 0;
  };
  EXPECT_EQ(RunInChild(work), 0);
}

// ---- Staging and other processes ----

TEST_F(LocalStoreTest, SweepingRemovesWhatADeadProcessLeft) {
  EXPECT_EQ(RunInChild([&] {
              const auto own = LocalStore::Make(root_).ValueOrDie();
              const auto sealed = StageBytes(*own, "12345").ValueOrDie();
              const auto growing = own->Stage({}).ValueOrDie();
              CHILD_CHECK(growing->Append("678", 3).ok());
              ::_exit(0);  // As if it was killed: no destructor runs.
              return 0;
            }),
            0);
  WriteForeignFile(root_ / "_hangar" / "staging" / "not-ours", "x");
  EXPECT_EQ(CountStaged(), 3);
  const SweepReport report = store().SweepStaging().ValueOrDie();
  EXPECT_EQ(report.removed_objects, 2);
  EXPECT_EQ(report.removed_bytes, 8);
  EXPECT_EQ(CountStaged(), 1);
  EXPECT_EQ(store().SweepStaging().ValueOrDie().removed_objects, 0);
}

TEST_F(LocalStoreTest, SweepingLeavesAloneWhatAnotherProcessIsWriting) {
  std::array<int, 2> ready{};
  std::array<int, 2> go_on{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  ASSERT_EQ(::pipe(go_on.data()), 0);
  const pid_t child = Fork([&] {
    ::close(go_on[1]);
    const auto own = LocalStore::Make(root_).ValueOrDie();
    const auto staged = StageBytes(*own, "12345").ValueOrDie();
    CHILD_CHECK(::write(ready[1], "x", 1) == 1);
    char byte = 0;
    CHILD_CHECK(::read(go_on[0], &byte, 1) == 0);
    CHILD_CHECK(staged->Publish("a", Precondition::Absent()).ok());
    return 0;
  });
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_EQ(CountStaged(), 1);
  EXPECT_EQ(store().SweepStaging().ValueOrDie().removed_objects, 0);
  ::close(go_on[1]);
  EXPECT_EQ(ExitCodeOf(child), 0);
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "12345");
  ::close(ready[0]);
  ::close(go_on[0]);
}

TEST_F(LocalStoreTest, ConditionalChangesOfManyProcessesLoseNothing) {
  constexpr int kProcesses = 4;
  constexpr int kChanges = 25;
  ExpectOk(PutBytes(store(), "counter", "0"));
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(Fork([&] {
      const auto own = LocalStore::Make(root_).ValueOrDie();
      for (int change = 0; change < kChanges;) {
        const auto reader = own->Open("counter").ValueOrDie();
        const std::string next = std::to_string(std::stoi(ReadBytes(*reader).ValueOrDie()) + 1);
        const auto put =
            PutBytes(*own, "counter", next, Precondition::Version(reader->info().version));
        if (put.ok()) {
          ++change;
        } else {
          CHILD_CHECK(IsError(ErrorKind::kFailedPrecondition, put.status()));
        }
      }
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(ExitCodeOf(child), 0);
  EXPECT_EQ(GetBytes(store(), "counter").ValueOrDie(), std::to_string(kProcesses * kChanges));
}

// ---- What is retired ----

TEST_F(LocalStoreTest, ARetiredFileIsTheVeryFile) {
  PutBytes(store(), "a/b", "1").ValueOrDie();
  const auto inode = [](const fs::path& path) {
    struct stat state = {};
    EXPECT_EQ(::stat(path.c_str(), &state), 0);
    return state.st_ino;
  };
  const auto before = inode(root_ / "a" / "b");
  PutBytes(store(), "a/b", "2").ValueOrDie();
  const fs::path history = root_ / "_hangar" / "history" / "a" / "b";
  ASSERT_EQ(CountEntries(history), 1);
  EXPECT_EQ(inode(fs::directory_iterator(history)->path()), before);
  ExpectOk(store().PurgeRetired(store().ListRetired("a/b").ValueOrDie()[0]));
  EXPECT_FALSE(fs::exists(root_ / "_hangar" / "history"));
}

TEST_F(LocalStoreTest, WhatIsRetiredOutlivesTheStore) {
  const ObjectInfo info = PutBytes(store(), "a", "1").ValueOrDie();
  ExpectOk(store().Delete("a", Precondition::None()));
  const Timestamp until = info.modified + std::chrono::hours(1);
  ExpectOk(store().HoldRetired("a", info.version, until));
  store_ = LocalStore::Make(root_).ValueOrDie();
  const auto retired = store().ListRetired("a").ValueOrDie();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].object.version, info.version);
  EXPECT_EQ(retired[0].held_until, until);
  EXPECT_EQ(retired[0].by, RetiredBy::kDropped);
}

TEST_F(LocalStoreTest, FilesThatAreNoRetiredOnesAreLeftAlone) {
  PutBytes(store(), "a", "1").ValueOrDie();
  ExpectOk(store().Delete("a", Precondition::None()));
  const fs::path history = root_ / "_hangar" / "history";
  WriteForeignFile(history / "a" / ".notes", "mine");
  WriteForeignFile(history / "a" / ".0000000000000001-x-0000000000000000", "no such letter");
  WriteForeignFile(history / "README", "mine");
  WriteForeignFile(history / "b" / "c", "mine");
  fs::create_symlink(outside_ / "file", history / "a" / ".0000000000000001-r-0000000000000000");
  EXPECT_EQ(store().ListRetired("a").ValueOrDie().size(), 1U);
  const auto lister = store().ListRetiredKeys({}).ValueOrDie();
  EXPECT_EQ(lister->Next().ValueOrDie(), "a");
  EXPECT_EQ(lister->Next().ValueOrDie(), std::nullopt);
  EXPECT_THAT(Keys(), IsEmpty());
}

TEST_F(LocalStoreTest, ALinkIsDeletedAndReplacedWithoutBeingRetired) {
  PutBytes(store(), "a", "1").ValueOrDie();
  fs::create_symlink("a", root_ / "link");
  PutBytes(store(), "link", "2").ValueOrDie();
  EXPECT_TRUE(store().ListRetired("link").ValueOrDie().empty());
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  fs::create_symlink("a", root_ / "other");
  ExpectOk(store().Delete("other", Precondition::None()));
  EXPECT_TRUE(store().ListRetired("other").ValueOrDie().empty());
  EXPECT_THAT(Keys(), ElementsAre("a", "link"));
}

TEST_F(LocalStoreTest, AFileInTheHistorysPlaceFailsTheChangeAndNothingElse) {
  PutBytes(store(), "a", "1").ValueOrDie();
  WriteForeignFile(root_ / "_hangar" / "history", "in the way");
  const auto put = PutBytes(store(), "a", "2");
  EXPECT_FALSE(put.ok());
  EXPECT_THAT(put.status().message(), HasSubstr("the history of 'a'"));
  EXPECT_FALSE(store().Delete("a", Precondition::None()).ok());
  EXPECT_EQ(GetBytes(store(), "a").ValueOrDie(), "1");
  PutBytes(store(), "b", "3").ValueOrDie();
}

TEST_F(LocalStoreTest, AFileThatWasWrittenAMomentAgoIsNotSettled) {
  EXPECT_TRUE(PutBytes(store(), "ours", "1").ValueOrDie().settled);
  WriteForeignFile(root_ / "foreign", "1");
  EXPECT_FALSE(store().Stat("foreign").ValueOrDie().settled);
  fs::last_write_time(root_ / "foreign",
                      fs::file_time_type::clock::now() - std::chrono::minutes(1));
  EXPECT_TRUE(store().Stat("foreign").ValueOrDie().settled);
}

}  // namespace
}  // namespace hangar
