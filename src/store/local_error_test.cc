#include "store/local_error.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "base/error.h"
#include "store/test_support.h"

namespace hangar {
namespace {

TEST(LocalError, EachErrnoHasTheKindThatACallerCanActOn) {
  const auto kind = [](int error, Attempt attempt) {
    return KindOf(LocalError(error, attempt, "'a'"));
  };
  EXPECT_EQ(kind(ENOENT, Attempt::kRead), ErrorKind::kNotFound);
  EXPECT_EQ(kind(ENOTDIR, Attempt::kRead), ErrorKind::kNotFound);
  EXPECT_EQ(kind(ENOSPC, Attempt::kWrite), ErrorKind::kStorageFull);
  EXPECT_EQ(kind(EDQUOT, Attempt::kMakeDurable), ErrorKind::kStorageFull);
  EXPECT_EQ(kind(EFBIG, Attempt::kWrite), ErrorKind::kResourceExhausted);
  EXPECT_EQ(kind(EMFILE, Attempt::kRead), ErrorKind::kResourceExhausted);
  EXPECT_EQ(kind(ENFILE, Attempt::kList), ErrorKind::kResourceExhausted);
  EXPECT_EQ(kind(ENOMEM, Attempt::kRead), ErrorKind::kResourceExhausted);
  EXPECT_EQ(kind(EACCES, Attempt::kDelete), ErrorKind::kPermissionDenied);
  EXPECT_EQ(kind(EPERM, Attempt::kRename), ErrorKind::kPermissionDenied);
  EXPECT_EQ(kind(EROFS, Attempt::kPublish), ErrorKind::kPermissionDenied);
  EXPECT_EQ(kind(ENAMETOOLONG, Attempt::kPublish), ErrorKind::kInvalidArgument);
  EXPECT_EQ(kind(EIO, Attempt::kRead), ErrorKind::kDataLoss);
  EXPECT_EQ(kind(EIO, Attempt::kMakeDurable), ErrorKind::kInternal);
  EXPECT_EQ(kind(EBADF, Attempt::kRead), ErrorKind::kInternal);
}

TEST(LocalError, TheSentenceSaysWhatFailedAndWhy) {
  EXPECT_EQ(LocalError(ENOSPC, Attempt::kWrite, "the upload").message(),
            "cannot write the upload: the data folder's disk is full");
  EXPECT_EQ(LocalError(EBADF, Attempt::kList, "'a/b'").message(),
            "cannot list 'a/b': the file system answers EBADF");
}

TEST(LocalError, OnlyWhatIsMissingOrClosedIsPassedOver) {
  EXPECT_TRUE(IsPassedOver(ENOENT));
  EXPECT_TRUE(IsPassedOver(EACCES));
  EXPECT_TRUE(IsPassedOver(EXDEV));
  EXPECT_FALSE(IsPassedOver(EIO));
  EXPECT_FALSE(IsPassedOver(EMFILE));
  EXPECT_FALSE(IsPassedOver(ENOMEM));
}

}  // namespace
}  // namespace hangar
