#include "base/error.h"

#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(Error, KeepsItsKindAndItsSentence) {
  const arrow::Status status = Error(ErrorKind::kFailedPrecondition, "{} moved on", "'a'");
  EXPECT_EQ(KindOf(status), ErrorKind::kFailedPrecondition);
  EXPECT_EQ(status.message(), "'a' moved on");
  EXPECT_TRUE(HasErrorKind(status));
}

TEST(Error, ALibrarysStatusIsInternalSaveMemoryAndCancellation) {
  EXPECT_EQ(KindOf(arrow::Status::IOError("/srv/x: bad")), ErrorKind::kInternal);
  EXPECT_EQ(KindOf(arrow::Status::OutOfMemory("malloc")), ErrorKind::kResourceExhausted);
  EXPECT_EQ(KindOf(arrow::Status::Cancelled("stop")), ErrorKind::kCancelled);
  EXPECT_FALSE(HasErrorKind(arrow::Status::IOError("/srv/x: bad")));
}

}  // namespace
}  // namespace hangar
