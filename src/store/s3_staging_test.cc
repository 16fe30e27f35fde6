#include "store/s3_staging.h"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include <arrow/memory_pool.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/s3_layout.h"
#include "store/s3_part_sender.h"
#include "store/s3_store.h"
#include "store/test_support.h"
#include "tests/support/memory_bucket.h"

namespace hangar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMiB = 1 << 20;

class S3StagingTest : public testing::Test {
 protected:
  // An upload of so many bytes to the key "a", sealed.
  std::unique_ptr<StagedObject> Stage(int64_t size, int64_t memory_bytes = 1000 * kMiB) {
    auto staged =
        store_->Stage({.key = "a", .reads_back = ReadsBack::kEnd, .memory_bytes = memory_bytes})
            .ValueOrDie();
    const std::string piece(static_cast<size_t>(kMiB), 'x');
    for (int64_t left = size; left > 0; left -= kMiB) {
      ExpectOk(staged->Append(piece.data(), std::min(left, kMiB)));
    }
    ExpectOk(staged->Seal());
    return staged;
  }

  const std::shared_ptr<MemoryBucket> bucket_ = std::make_shared<MemoryBucket>();
  const std::shared_ptr<ObjectStore> store_ = MakeS3Store(bucket_, "", {.keeps_past = false});
};

TEST_F(S3StagingTest, PublishingMovesNoBytes) {
  const auto staged = Stage(20 * kMiB);
  std::vector<std::string> calls;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    calls.emplace_back(method);
    return arrow::Status::OK();
  });
  ExpectOk(staged->Publish("a", Precondition::Absent()));
  EXPECT_THAT(calls, ElementsAre("Head", "CompleteUpload", "Head"));
}

TEST_F(S3StagingTest, RefusesAnotherKeyThanThatWhereItGrew) {
  const auto staged = Stage(20 * kMiB);
  ExpectError(ErrorKind::kInternal, staged->Publish("b", Precondition::Absent()));
  ExpectOk(staged->Publish("a", Precondition::Absent()));
  ExpectOk(Stage(kMiB)->Publish("b", Precondition::Absent()));
}

TEST_F(S3StagingTest, RefusesToReadWhatItKeepsNoLonger) {
  const auto staged = Stage(20 * kMiB);
  const auto reader = staged->OpenSealed().ValueOrDie();
  char byte = 0;
  ExpectError(ErrorKind::kInternal, reader->ReadAt(0, 1, &byte));
}

TEST_F(S3StagingTest, SaysThatAnUploadHasToBeSentAgainWhereAConflictUsedItUp) {
  const auto staged = Stage(20 * kMiB);
  int tries = 0;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    if (method != "CompleteUpload") return arrow::Status::OK();
    return ++tries == 1 ? MakeError(ErrorKind::kFailedPrecondition, "it was changed meanwhile")
                        : MakeError(ErrorKind::kNotFound, "there is no such upload");
  });
  const auto published = staged->Publish("a", Precondition::None());
  ExpectError(ErrorKind::kUnavailable, published);
  EXPECT_THAT(published.status().message(), HasSubstr("send it again"));
  EXPECT_EQ(tries, 2);
}

TEST_F(S3StagingTest, SaysThatItHasToBeSentAgainWhereADropThatWasUnderWayTookItAway) {
  ExpectOk(bucket_->Write("a", kS3Tombstone, {}));
  const auto staged = Stage(20 * kMiB);
  int completed = 0;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    completed += method == "CompleteUpload";
    // What the bucket does of itself cannot be called from here: no look finds it.
    return method == "Head" && completed > 0 ? MakeError(ErrorKind::kNotFound, "it is gone")
                                             : arrow::Status::OK();
  });
  const auto published = staged->Publish("a", Precondition::None());
  EXPECT_EQ(completed, 1);
  ExpectError(ErrorKind::kUnavailable, published);
  EXPECT_THAT(published.status().message(), HasSubstr("send it again"));
}

TEST_F(S3StagingTest, PublishesOverAChangeThatCameBetween) {
  ExpectOk(PutBytes(*store_, "a", "first"));
  const auto staged = Stage(20 * kMiB);
  bool has_come = false;
  bucket_->FailBefore([&](std::string_view method, const std::string&) {
    if (method != "CompleteUpload" || has_come) return arrow::Status::OK();
    has_come = true;
    return MakeError(ErrorKind::kFailedPrecondition, "it was changed meanwhile");
  });
  ExpectOk(staged->Publish("a", Precondition::None()));
  EXPECT_EQ(store_->Stat("a").ValueOrDie().size_bytes, 20 * kMiB);
}

TEST_F(S3StagingTest, ABrokenUploadIsAborted) {
  bucket_->FailBefore([](std::string_view method, const std::string&) {
    return method == "UploadPart" ? MakeError(ErrorKind::kStorageFull, "the object store is full")
                                  : arrow::Status::OK();
  });
  {
    const auto staged = store_->Stage({.key = "a", .reads_back = ReadsBack::kEnd}).ValueOrDie();
    const std::string bytes(static_cast<size_t>(20 * kMiB), 'x');
    ExpectOk(staged->Append(bytes.data(), 20 * kMiB));
    ExpectError(ErrorKind::kStorageFull, staged->Seal());
  }
  EXPECT_TRUE(bucket_->ListUploads("").ValueOrDie().empty());
}

TEST_F(S3StagingTest, WhatIsInMemoryIsBounded) {
  arrow::MemoryPool* const pool = arrow::default_memory_pool();
  for (const int parts : {1, 2, 4}) {
    std::atomic<int64_t> most = 0;
    const int64_t before = pool->bytes_allocated();
    bucket_->FailBefore([&](std::string_view method, const std::string&) {
      if (method == "UploadPart") most = std::max(most.load(), pool->bytes_allocated() - before);
      return arrow::Status::OK();
    });
    const int64_t memory_bytes = parts * S3PartBytes(0) + kReadBackBytesMin;
    const auto staged = Stage(100 * kMiB, memory_bytes);
    EXPECT_GT(most, 0);
    EXPECT_LE(most, memory_bytes);
    // What is kept to be read back.
    EXPECT_LE(pool->bytes_allocated() - before, S3PartBytes(0) + 2 * kReadBackBytesMin);
  }
}

TEST_F(S3StagingTest, ASmallObjectTakesLittleMore) {
  arrow::MemoryPool* const pool = arrow::default_memory_pool();
  const int64_t before = pool->bytes_allocated();
  const auto staged = store_->Stage({.key = "a"}).ValueOrDie();
  ExpectOk(staged->Append("abc", 3));
  EXPECT_LE(pool->bytes_allocated() - before, 64 << 10);
}

TEST_F(S3StagingTest, SweepsWhatACrashLeftAfterADay) {
  const std::string large(static_cast<size_t>(9 * kMiB), 'x');
  ExpectOk(bucket_->BeginUpload("a/b").status());
  ExpectOk(bucket_->Write(std::string(kS3Staging) + "crashed", large, {}));
  ExpectOk(bucket_->Write("dataset", "bytes", {}));
  EXPECT_EQ(ListKeys(*store_).ValueOrDie(), std::vector<std::string>{"dataset"});
  bucket_->Age(std::chrono::hours(23));
  EXPECT_EQ(store_->SweepStaging().ValueOrDie().removed_objects, 0);
  bucket_->Age(std::chrono::hours(2));
  const SweepReport swept = store_->SweepStaging().ValueOrDie();
  EXPECT_EQ(swept.removed_objects, 2);
  EXPECT_EQ(swept.removed_bytes, 9 * kMiB);
  EXPECT_TRUE(bucket_->ListUploads("").ValueOrDie().empty());
  EXPECT_THAT(bucket_->Keys(), ElementsAre("dataset"));
}

}  // namespace
}  // namespace hangar
