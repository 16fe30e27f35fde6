#include "access/user_file.h"

#include <arrow/testing/gtest_util.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/account_name.h"
#include "access/crypto.h"
#include "access/password_hash.h"
#include "base/error.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class UserFile : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_OK(StartCrypto());
    ASSERT_OK_AND_ASSIGN(hash_, HashPassword("correct horse"));
  }
  static std::string ErrorOf(const std::string& text) {
    const auto parsed = ParseUsers(text, "users.toml");
    EXPECT_EQ(KindOf(parsed.status()), ErrorKind::kInvalidArgument);
    return parsed.status().message();
  }

  static inline std::string hash_;
};

TEST_F(UserFile, WhatIsWrittenComesBack) {
  const Users users = {{"alice", {hash_, {"analysts", "eu"}}}, {"bob@example.org", {hash_, {}}}};
  ASSERT_OK_AND_ASSIGN(const Users read, ParseUsers(FormatUsers(users), "users.toml"));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read.at("alice").password_hash, hash_);
  EXPECT_THAT(read.at("alice").groups, ElementsAre("analysts", "eu"));
  EXPECT_TRUE(read.at("bob@example.org").groups.empty());
}

TEST_F(UserFile, ErrorsNameTheFileAndTheLineAndNoPassword) {
  EXPECT_THAT(ErrorOf("[users.a]\npassword = \"hunter2hunter2\"\n"),
              HasSubstr("users.toml, line 1: the password of 'a' is no hash"));
  EXPECT_THAT(ErrorOf("[users.a]\npassword = \"hunter2hunter2\"\n"), Not(HasSubstr("hunter2")));
  EXPECT_THAT(ErrorOf("[users.a]\n"), HasSubstr("no hash"));
  EXPECT_THAT(ErrorOf(std::format("[users.a]\npassword = \"{}\"\ngroups = [\"a b\"]\n", hash_)),
              HasSubstr("line 3: 'a b' cannot be a name"));
  EXPECT_THAT(ErrorOf(std::format("[users.a]\npassword = \"{}\"\nadmin = true\n", hash_)),
              HasSubstr("the key 'admin' is not known"));
  EXPECT_THAT(ErrorOf(std::format("[users.\"a:b\"]\npassword = \"{}\"\n", hash_)),
              HasSubstr("cannot be a name"));
}

TEST_F(UserFile, APasswordMatchesItsOwnHashAlone) {
  EXPECT_THAT(hash_, ::testing::StartsWith("$argon2id$v=19$m=32768,t=3,p=1$"));
  ASSERT_OK_AND_ASSIGN(const bool right, PasswordMatches("correct horse", hash_));
  EXPECT_TRUE(right);
  ASSERT_OK_AND_ASSIGN(const bool wrong, PasswordMatches("correct horsf", hash_));
  EXPECT_FALSE(wrong);
  ASSERT_OK_AND_ASSIGN(const std::string again, HashPassword("correct horse"));
  EXPECT_NE(again, hash_) << "each has a salt of its own";
}

TEST_F(UserFile, HashesThatWouldTakeTheServersMemoryOrTimeAreRefused) {
  EXPECT_TRUE(IsPasswordHash(hash_));
  const std::string rest = hash_.substr(hash_.find("p=1"));
  EXPECT_TRUE(IsPasswordHash("$argon2id$v=19$m=65536,t=2," + rest));
  EXPECT_FALSE(IsPasswordHash("$argon2id$v=19$m=1048576,t=2," + rest));
  EXPECT_FALSE(IsPasswordHash("$argon2id$v=19$m=65536,t=1000," + rest));
  EXPECT_FALSE(IsPasswordHash("$argon2i$v=19$m=65536,t=2," + rest));
  EXPECT_FALSE(IsPasswordHash("$2b$12$abcdefghijklmnopqrstuv"));
  EXPECT_FALSE(IsPasswordHash(""));
}

TEST_F(UserFile, PasswordsAreEightBytesOrMoreWithoutControlCharacters) {
  EXPECT_OK(CheckPassword("12345678"));
  EXPECT_OK(CheckPassword("pässwörter mit Leerzeichen"));
  EXPECT_OK(CheckPassword(std::string(1024, 'x')));
  for (const std::string& wrong :
       {std::string("1234567"), std::string(1025, 'x'), std::string("12345678\n"),
        std::string("1234\0005678", 9), std::string("12345678\xff")}) {
    const auto status = CheckPassword(wrong);
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
    EXPECT_THAT(status.message(), Not(HasSubstr("1234567")));
  }
}

TEST(AccountName, IsLettersDigitsAndFewSigns) {
  for (const char* name : {"a", "alice", "Bob.B-2_x+y@example.org", "..."}) {
    EXPECT_OK(CheckAccountName(name));
  }
  EXPECT_OK(CheckAccountName(std::string(128, 'a')));
  for (const std::string& name :
       {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a:b"),
        std::string("a/b"), std::string("ä"), std::string("a\0b", 3), std::string("a\n")}) {
    EXPECT_EQ(KindOf(CheckAccountName(name)), ErrorKind::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace hangar
