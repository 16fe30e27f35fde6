#include "s3/bucket_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/memory_bucket.h"

namespace hangar {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(BucketProbe, FindsThatABucketDecidesBetweenWriters) {
  MemoryBucket bucket;
  const BucketTraits traits = ProbeBucket(bucket, "pre/").ValueOrDie();
  EXPECT_TRUE(traits.keeps_conditions);
  EXPECT_TRUE(traits.has_md5_etags);
  EXPECT_FALSE(traits.keeps_versions);
  EXPECT_TRUE(CheckBucketServes(traits, /*is_single_writer=*/false).ok());
  EXPECT_THAT(bucket.Keys(), IsEmpty());
  EXPECT_THAT(bucket.ListUploads("").ValueOrDie(), IsEmpty());
}

TEST(BucketProbe, ABucketThatDoesNotDecideServesOneWriter) {
  MemoryBucket bucket({.keeps_conditions = false});
  const BucketTraits traits = ProbeBucket(bucket, "pre/").ValueOrDie();
  EXPECT_FALSE(traits.keeps_conditions);
  const auto refused = CheckBucketServes(traits, /*is_single_writer=*/false);
  EXPECT_EQ(KindOf(refused), ErrorKind::kFailedPrecondition);
  EXPECT_THAT(refused.message(), AllOf(HasSubstr("conditions"), HasSubstr("--single-writer")));
  EXPECT_TRUE(CheckBucketServes(traits, /*is_single_writer=*/true).ok());
  EXPECT_THAT(bucket.Keys(), IsEmpty());
}

TEST(BucketProbe, ABucketThatDecidesForWholeObjectsAloneDoesNotDecide) {
  MemoryBucket bucket({.keeps_conditions_of_uploads = false});
  EXPECT_FALSE(ProbeBucket(bucket, "pre/").ValueOrDie().keeps_conditions);
  EXPECT_THAT(bucket.Keys(), IsEmpty());
  EXPECT_THAT(bucket.ListUploads("").ValueOrDie(), IsEmpty());
}

TEST(BucketProbe, ABucketWithVersionsServesOneWriter) {
  MemoryBucket bucket({.keeps_versions = true});
  const BucketTraits traits = ProbeBucket(bucket, "").ValueOrDie();
  EXPECT_THAT(CheckBucketServes(traits, /*is_single_writer=*/false).message(),
              AllOf(HasSubstr("versions"), HasSubstr("--single-writer")));
  EXPECT_TRUE(CheckBucketServes(traits, /*is_single_writer=*/true).ok());
}

TEST(BucketProbe, LeavesNothingBehindWhereItIsCutShort) {
  MemoryBucket bucket;
  bucket.FailBefore([](std::string_view method, const std::string&) {
    return method == "UploadPart" ? MakeError(ErrorKind::kUnavailable, "it does not answer")
                                  : arrow::Status::OK();
  });
  EXPECT_EQ(KindOf(ProbeBucket(bucket, "").status()), ErrorKind::kUnavailable);
  EXPECT_THAT(bucket.Keys(), IsEmpty());
  EXPECT_THAT(bucket.ListUploads("").ValueOrDie(), IsEmpty());
}

TEST(BucketProbe, AnEncryptedBucketServesNobody) {
  const BucketTraits traits{.keeps_conditions = true, .has_md5_etags = false};
  EXPECT_THAT(CheckBucketServes(traits, /*is_single_writer=*/true).message(), HasSubstr("MD5"));
}

}  // namespace
}  // namespace hangar
