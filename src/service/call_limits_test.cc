#include "service/call_limits.h"

#include <gtest/gtest.h>

#include "access/identity.h"
#include "base/error.h"

namespace hangar {
namespace {

constexpr bool kUpload = true;
constexpr bool kRead = false;

void ExpectRefused(const arrow::Status& status, const std::string& setting) {
  EXPECT_EQ(KindOf(status), ErrorKind::kResourceExhausted) << status;
  EXPECT_NE(status.message().find(setting), std::string::npos) << status;
}

TEST(CallLimits, RefusesWhatIsOneTooManyAndTakesItOnceAnotherEnded) {
  CallLimits limits({.streams = 2, .streams_per_caller = 2, .uploads = 2});
  EXPECT_TRUE(limits.Begin("a", kRead).ok());
  EXPECT_TRUE(limits.Begin("b", kRead).ok());
  ExpectRefused(limits.Begin("c", kRead), "max_streams");
  limits.End("a", kRead);
  EXPECT_TRUE(limits.Begin("c", kRead).ok());
}

TEST(CallLimits, LetsOneAddressTakeItsShareOnly) {
  CallLimits limits({.streams = 10, .streams_per_caller = 2, .uploads = 10});
  EXPECT_TRUE(limits.Begin("a", kRead).ok());
  EXPECT_TRUE(limits.Begin("a", kUpload).ok());
  ExpectRefused(limits.Begin("a", kRead), "max_streams_per_caller");
  EXPECT_TRUE(limits.Begin("b", kRead).ok());
  limits.End("a", kUpload);
  EXPECT_TRUE(limits.Begin("a", kRead).ok());
}

TEST(CallLimits, LetsReadsGoOnWhenUploadsAreManyEnough) {
  CallLimits limits({.streams = 10, .streams_per_caller = 10, .uploads = 1});
  EXPECT_TRUE(limits.Begin("a", kUpload).ok());
  ExpectRefused(limits.Begin("b", kUpload), "max_uploads");
  EXPECT_TRUE(limits.Begin("b", kRead).ok());
  limits.End("a", kUpload);
  EXPECT_TRUE(limits.Begin("b", kUpload).ok());
}

TEST(CallLimits, LetsOneCallerTakeItsShareOfTheUploadsOnly) {
  CallLimits limits(
      {.streams = 10, .streams_per_caller = 10, .uploads = 10, .uploads_per_caller = 1});
  EXPECT_TRUE(limits.Begin("a", kUpload).ok());
  ExpectRefused(limits.Begin("a", kUpload), "max_uploads_per_caller");
  EXPECT_TRUE(limits.Begin("a", kRead).ok());
  EXPECT_TRUE(limits.Begin("b", kUpload).ok());
  limits.End("a", kUpload);
  EXPECT_TRUE(limits.Begin("a", kUpload).ok());
}

TEST(CallLimits, ACallerIsWhoTheyAreAndElseWhereTheyCallFrom) {
  Identity ann;
  ann.kind = IdentityKind::kUser;
  ann.name = "ann";
  EXPECT_EQ(CallerKey(&ann, "192.0.2.1"), "user:ann");
  EXPECT_EQ(CallerKey(AnonymousIdentity().get(), "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(CallerKey(nullptr, "192.0.2.1"), "192.0.2.1");
}

TEST(CallLimits, ARefusedCallTakesNoPlace) {
  CallLimits limits({.streams = 2, .streams_per_caller = 1, .uploads = 1});
  EXPECT_TRUE(limits.Begin("a", kUpload).ok());
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(limits.Begin("a", kRead).ok());
    EXPECT_FALSE(limits.Begin("b", kUpload).ok());
  }
  EXPECT_TRUE(limits.Begin("b", kRead).ok());
}

}  // namespace
}  // namespace hangar
