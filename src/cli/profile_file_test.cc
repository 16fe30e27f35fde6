#include "cli/profile_file.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <arrow/util/io_util.h>
#include <gmock/gmock.h>

#include "base/error.h"
#include "files/private_file.h"

namespace hangar::cli {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ProfileFileTest : public testing::Test {
 protected:
  static unsigned ModeOf(const std::string& path) {
    struct stat state{};
    EXPECT_EQ(stat(path.c_str(), &state), 0);
    return state.st_mode & 0777U;
  }

  const std::unique_ptr<arrow::internal::TemporaryDir> folder_ =
      *arrow::internal::TemporaryDir::Make("hangar-profiles-");
  const std::string path_ = folder_->path().ToString() + "config/hangar/config.toml";
};

Profiles TwoProfiles() {
  return {{"default", {.server = "grpc+tls://h:1", .token = "t\"\\\n", .ca = "/a b/ca.pem"}},
          {"test.1", {.server = "grpc://127.0.0.1:1", .user = "ann", .insecure = true}}};
}

TEST_F(ProfileFileTest, GivesBackWhatWasSaved) {
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  EXPECT_EQ(*LoadProfiles(path_), TwoProfiles());
  ASSERT_TRUE(SaveProfiles({}, path_).ok());
  EXPECT_EQ(*LoadProfiles(path_), Profiles());
}

TEST_F(ProfileFileTest, IsItsOwnersAlone) {
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  EXPECT_EQ(ModeOf(path_), 0600U);
  EXPECT_EQ(ModeOf(fs::path(path_).parent_path()), 0700U);
  // A file that is there already does not keep a mode that is too wide.
  chmod(path_.c_str(), 0644);
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  EXPECT_EQ(ModeOf(path_), 0600U);
}

TEST_F(ProfileFileTest, IsRefusedWhenOthersMayUseIt) {
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  for (const mode_t mode : {0640U, 0604U, 0620U, 0610U}) {
    chmod(path_.c_str(), mode);
    const arrow::Status status = LoadProfiles(path_).status();
    EXPECT_EQ(KindOf(status), ErrorKind::kFailedPrecondition) << mode;
    EXPECT_THAT(status.message(), HasSubstr("chmod 600 " + path_));
  }
}

TEST_F(ProfileFileTest, MayBeMissing) {
  EXPECT_EQ(*LoadProfiles(path_), Profiles());
  EXPECT_EQ(*LoadProfiles(""), Profiles());
  EXPECT_EQ(KindOf(SaveProfiles({}, "")), ErrorKind::kFailedPrecondition);
}

TEST_F(ProfileFileTest, LeavesNothingElseInItsFolder) {
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  ASSERT_TRUE(SaveProfiles(TwoProfiles(), path_).ok());
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path())) {
    EXPECT_EQ(entry.path(), path_);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST(ParseProfiles, NamesTheLineOfWhatIsWrongAndNoValue) {
  const auto refusal = [](const std::string& text) {
    const arrow::Status status = ParseProfiles(text, "FILE").status();
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument) << text;
    EXPECT_THAT(status.message(), Not(HasSubstr("hush")));
    return status.message();
  };
  const std::string start = "[profiles.a]\nserver = 'grpc://h:1'\n";
  EXPECT_THAT(refusal("x = \n"), HasSubstr("FILE, line 1"));
  EXPECT_THAT(refusal(start + "token = hush\n"), HasSubstr("line 3: this is not TOML"));
  EXPECT_THAT(refusal(start + "tokem = 'hush'\n"), HasSubstr("line 3: 'tokem' is no key"));
  EXPECT_THAT(refusal(start + "token = 5\n"), HasSubstr("line 3: 'token' has to be a text"));
  EXPECT_THAT(refusal(start + "insecure = 'yes'\n"), HasSubstr("line 3"));
  EXPECT_THAT(refusal("\n[profiles.a]\ntoken = 'hush'\n"), HasSubstr("line 2: the profile names"));
  EXPECT_THAT(refusal("[servers.a]\n"), HasSubstr("'servers'"));
  EXPECT_THAT(refusal("profiles = 1\n"), HasSubstr("'profiles'"));
  EXPECT_THAT(refusal("[profiles.'a b']\nserver = 'x'\n"), HasSubstr("'a b' cannot be"));
}

TEST(ParseProfiles, TakesNothingForNoProfile) {
  EXPECT_EQ(*ParseProfiles("# nothing\n", "FILE"), Profiles());
}

TEST(CheckProfileName, RefusesWhatCouldBeAnythingElse) {
  for (const char* name : {"a", "prod-1", "A.b_c"}) EXPECT_TRUE(CheckProfileName(name).ok());
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a/b"),
                                  std::string("ä"), std::string(65, 'a')}) {
    EXPECT_FALSE(CheckProfileName(name).ok()) << name;
  }
}

}  // namespace
}  // namespace hangar::cli
