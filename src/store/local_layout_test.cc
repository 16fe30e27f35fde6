#include "store/local_layout.h"

#include <string>

#include <gtest/gtest.h>

#include "store/test_support.h"

namespace hangar {
namespace {

TEST(LocalLayout, HiddenNamesAreNotVisible) {
  for (const char* name : {"", ".", "..", ".git", "_hangar", "_hangar2", "\xff", "a\xc3"}) {
    EXPECT_FALSE(IsVisibleName(name)) << name;
  }
  for (const char* name : {"a", "a.", "_hang", "hangar", "東京", "a b", "%2e", "*"}) {
    EXPECT_TRUE(IsVisibleName(name)) << name;
  }
}

TEST(LocalLayout, OnlyKeysOfVisibleFilesBelowTheRootAreAccepted) {
  for (const char* key : {"a", "a/b/c.parquet", "a b/é"}) ExpectOk(CheckKey(key));
  for (const char* key : {"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", ".a/b",
                          "a/.b", "_hangar/lock", "a/_hangar", "a/\xff"}) {
    ExpectError(ErrorKind::kInvalidArgument, CheckKey(key));
  }
  ExpectError(ErrorKind::kInvalidArgument, CheckKey(std::string_view("a\0b", 3)));
}

TEST(LocalLayout, StagedNamesDifferAndAreRecognised) {
  const std::string name = NewStagedName();
  EXPECT_TRUE(IsStagedName(name)) << name;
  EXPECT_NE(name, NewStagedName());
  EXPECT_FALSE(IsVisibleName(name));
  EXPECT_FALSE(IsStagedName(name + "0"));
  EXPECT_FALSE(IsStagedName(name.substr(1) + "0"));
  EXPECT_FALSE(IsStagedName(".nfs000000000000000000000000000000"));
}

TEST(LocalLayout, AKeyIsItsFolderAndItsLeaf) {
  EXPECT_EQ(FolderOf("a/b/c"), "a/b");
  EXPECT_EQ(LeafOf("a/b/c"), "c");
  EXPECT_EQ(FolderOf("c"), "");
  EXPECT_EQ(LeafOf("c"), "c");
}

}  // namespace
}  // namespace hangar
