#include "store/s3_changes.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/s3_layout.h"
#include "store/s3_store.h"
#include "store/test_support.h"
#include "tests/support/memory_bucket.h"

namespace hangar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

arrow::Status AwayStatus() {
  return MakeError(ErrorKind::kUnavailable, "the object store does not answer");
}

// Sends bodies whose first byte is another one: that of the nth read, from 1 on, by what `harm`
// says.
class HarmingBucket final : public MemoryBucket {
 public:
  std::function<int(int nth)> harm;
  int reads = 0;

  arrow::Status Read(const std::string& key, const std::string& etag, int64_t offset,
                     int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(MemoryBucket::Read(key, etag, offset, length, out));
    if (harm) *static_cast<char*>(out) ^= static_cast<char>(harm(++reads));
    return arrow::Status::OK();
  }
};

class S3ChangesTest : public testing::Test {
 protected:
  std::shared_ptr<ObjectStore> Open(const S3StoreOptions& options = {}) {
    return MakeS3Store(bucket_, "", options);
  }

  const std::shared_ptr<MemoryBucket> bucket_ = std::make_shared<MemoryBucket>();
};

TEST_F(S3ChangesTest, APutWhoseAnswerIsLostKeepsWhatItMayHaveReplaced) {
  const auto store = Open();
  const std::string first = PutBytes(*store, "a", "first").ValueOrDie().version;
  bucket_->FailAfter([](std::string_view method, const std::string& key) {
    return method == "Write" && key == "a" ? AwayStatus() : arrow::Status::OK();
  });
  ExpectError(ErrorKind::kUnavailable, PutBytes(*store, "a", "second"));
  bucket_->FailAfter(nullptr);
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "second");
  const auto retired = store->ListRetired("a").ValueOrDie();
  ASSERT_EQ(retired.size(), 1U);
  EXPECT_EQ(retired[0].object.version, first);
}

TEST_F(S3ChangesTest, APutThatMayHaveFailedLeavesTheCurrentVersionOutOfThePast) {
  const auto store = Open();
  ExpectOk(PutBytes(*store, "a", "first"));
  bucket_->FailBefore([](std::string_view method, const std::string& key) {
    return method == "Write" && key == "a" ? AwayStatus() : arrow::Status::OK();
  });
  ExpectError(ErrorKind::kUnavailable, PutBytes(*store, "a", "second"));
  bucket_->FailBefore(nullptr);
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "first");
  EXPECT_TRUE(store->ListRetired("a").ValueOrDie().empty());
}

TEST_F(S3ChangesTest, ADropWhoseAnswerIsLostCanBeUndone) {
  const auto store = Open();
  const std::string version = PutBytes(*store, "a", "bytes").ValueOrDie().version;
  bucket_->FailAfter([](std::string_view method, const std::string& key) {
    return method == "Write" && key == "a" ? AwayStatus() : arrow::Status::OK();
  });
  ExpectError(ErrorKind::kUnavailable, store->Delete("a", Precondition::None()));
  bucket_->FailAfter(nullptr);
  ExpectError(ErrorKind::kNotFound, store->Stat("a"));
  ExpectOk(store->RestoreRetired("a", version, Precondition::Absent()));
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "bytes");
}

TEST_F(S3ChangesTest, WhatIsChangedByOthersAllTheTimeIsSaidToBe) {
  const auto store = Open();
  ExpectOk(PutBytes(*store, "a", "bytes"));
  bucket_->FailBefore([](std::string_view method, const std::string& key) {
    const bool is_change = method == "Write" && key == "a";
    return is_change ? MakeError(ErrorKind::kFailedPrecondition, "changed") : arrow::Status::OK();
  });
  const auto renamed = store->Rename("a", "b", Precondition::None(), Precondition::None());
  ExpectError(ErrorKind::kUnavailable, renamed);
  EXPECT_THAT(renamed.status().message(), HasSubstr("'a' is changed by others"));
  ExpectError(ErrorKind::kUnavailable, PutBytes(*store, "a", "other"));
  bucket_->FailBefore(nullptr);
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "bytes");
  EXPECT_THAT(bucket_->Keys(), ElementsAre("a"));
}

TEST_F(S3ChangesTest, ADropThatEndedHalfWayIsFinishedByTheNextListing) {
  const auto store = Open({.keeps_past = false});
  ExpectOk(PutBytes(*store, "a", "bytes"));
  ExpectOk(PutBytes(*store, "b", "bytes"));
  bucket_->FailBefore([](std::string_view method, const std::string&) {
    return method == "Delete" ? AwayStatus() : arrow::Status::OK();
  });
  ExpectOk(store->Delete("a", Precondition::None()));
  bucket_->FailBefore(nullptr);
  ExpectError(ErrorKind::kNotFound, store->Stat("a"));
  EXPECT_THAT(ListKeys(*store).ValueOrDie(), ElementsAre("b"));
  EXPECT_THAT(bucket_->Keys(), ElementsAre("a", "b")) << "it may still go on";
  bucket_->Age(std::chrono::minutes(2));
  EXPECT_THAT(ListKeys(*store).ValueOrDie(), ElementsAre("b"));
  EXPECT_THAT(bucket_->Keys(), ElementsAre("b"));
}

TEST_F(S3ChangesTest, WhatIsWrittenOverATombstoneStaysThoughADeletionWasUnderWay) {
  const auto store = Open({.keeps_past = false});
  ExpectOk(bucket_->Write("a", kS3Tombstone, {}));
  bool is_deleted = false;
  bucket_->FailAfter([&](std::string_view method, const std::string& key) {
    // What the bucket does of itself cannot be called from here: the next look finds nothing.
    is_deleted = is_deleted || (method == "Write" && key == "a");
    return arrow::Status::OK();
  });
  int looks = 0;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    const bool is_gone = method == "Head" && is_deleted && ++looks == 1;
    return is_gone ? MakeError(ErrorKind::kNotFound, "it is gone") : arrow::Status::OK();
  });
  ExpectOk(PutBytes(*store, "a", "bytes"));
  EXPECT_EQ(looks, 3) << "it was written once more, and looked at";
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "bytes");
}

TEST_F(S3ChangesTest, TheOnlyWriterWritesWithoutConditionsAndLeavesNoTombstone) {
  const auto store = Open({.keeps_past = false, .is_single_writer = true});
  bool has_tombstone = false;
  const std::string version = PutBytes(*store, "a", "bytes").ValueOrDie().version;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    has_tombstone = has_tombstone || method == "Write";
    return arrow::Status::OK();
  });
  ExpectError(ErrorKind::kFailedPrecondition, store->Delete("a", Precondition::Version("other")));
  ExpectOk(store->Delete("a", Precondition::Version(version)));
  EXPECT_FALSE(has_tombstone);
  EXPECT_TRUE(bucket_->Keys().empty());
}

TEST(S3RestoreTest, DoesNotStoreWhatWasHarmedOnItsWay) {
  const auto bucket = std::make_shared<HarmingBucket>();
  const auto store = MakeS3Store(bucket, "", {});
  const std::string version = PutBytes(*store, "a", "bytes").ValueOrDie().version;
  ExpectOk(store->Delete("a", Precondition::None()));

  bucket->harm = [](int nth) { return nth; };
  const auto failed = store->RestoreRetired("a", version, Precondition::Absent());
  ExpectError(ErrorKind::kUnavailable, failed);
  EXPECT_THAT(failed.status().message(), HasSubstr("is not what it stores"));
  ExpectError(ErrorKind::kNotFound, store->Stat("a"));

  bucket->reads = 0;
  bucket->harm = [](int nth) { return nth == 1 ? 1 : 0; };
  EXPECT_EQ(store->RestoreRetired("a", version, Precondition::Absent()).ValueOrDie().version,
            version);
  EXPECT_EQ(bucket->reads, 2);
  bucket->harm = nullptr;
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "bytes");
}

TEST(S3RestoreTest, ReadsTwiceWhereTheETagIsNoMd5) {
  const auto bucket = std::make_shared<HarmingBucket>();
  const auto store = MakeS3Store(bucket, "", {});
  const std::string version = PutBytes(*store, "a", "bytes").ValueOrDie().version;
  ExpectOk(store->Delete("a", Precondition::None()));
  bucket->harm = [](int /*nth*/) { return 1; };  // Which is then what is stored.
  ExpectOk(store->RestoreRetired("a", version, Precondition::Absent()));
  EXPECT_EQ(bucket->reads, 2);
  bucket->harm = nullptr;
  EXPECT_EQ(GetBytes(*store, "a").ValueOrDie(), "cytes");
}

}  // namespace
}  // namespace hangar
