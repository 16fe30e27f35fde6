#include "base/error.h"

#include <gtest/gtest.h>

#include "base/clock.h"

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

TEST(Clock, FormatsRfc3339InUtcWithNanoseconds) {
  EXPECT_EQ(FormatTimestamp(Timestamp(std::chrono::nanoseconds(1))),
            "1970-01-01T00:00:00.000000001Z");
}

}  // namespace
}  // namespace hangar
