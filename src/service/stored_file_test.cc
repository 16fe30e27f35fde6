#include "service/stored_file.h"

#include <algorithm>
#include <string>

#include <arrow/record_batch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "service/dataset_service.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

class StoredFileTest : public ::testing::Test {
 protected:
  StoredFileTest() {
    StoreNumbered(*store_, "source", 1000);
    file_ = LoadBytes(*store_, "source");
  }

  arrow::Result<UploadResult> Put(const UploadRequest& request, const std::string& bytes) {
    ARROW_ASSIGN_OR_RAISE(auto upload, service_.BeginFileUpload(caller_, request));
    constexpr size_t kBlock = 1000;
    for (size_t at = 0; at < bytes.size(); at += kBlock) {
      const std::string block = bytes.substr(at, kBlock);
      ARROW_RETURN_NOT_OK(upload->Append(block.data(), static_cast<int64_t>(block.size())));
    }
    return upload->Commit();
  }

  arrow::Result<std::string> Get(const FileRequest& request) {
    ARROW_ASSIGN_OR_RAISE(const auto file, service_.OpenFile(caller_, request));
    std::string bytes(static_cast<size_t>(file->size_bytes()), '\0');
    ARROW_RETURN_NOT_OK(file->ReadAt(0, file->size_bytes(), bytes.data()));
    return bytes;
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  DatasetService service_{
      store_, std::make_shared<RecordingLogger>(),
      DatasetService::Options{.retention = {}, .uploads = {.bytes = 1 << 20, .columns = 3}}};
  const Caller caller_;
  std::string file_;
};

TEST_F(StoredFileTest, ComesBackByteForByte) {
  const auto result = Put({.dataset = "copy"}, file_).ValueOrDie();
  EXPECT_EQ(result.rows, 1000);
  EXPECT_EQ(result.bytes, static_cast<int64_t>(file_.size()));
  EXPECT_EQ(Get({.dataset = "copy"}).ValueOrDie(), file_);
  EXPECT_EQ(service_.Describe(caller_, "copy")->version, result.version);
}

TEST_F(StoredFileTest, APastVersionStaysReadable) {
  const auto first = Put({.dataset = "copy"}, file_).ValueOrDie();
  StoreNumbered(*store_, "copy", 5);
  EXPECT_NE(Get({.dataset = "copy"}).ValueOrDie(), file_);
  EXPECT_EQ(Get({.dataset = "copy", .version = first.version}).ValueOrDie(), file_);
}

TEST_F(StoredFileTest, WhatIsNoParquetIsNotStored) {
  for (const std::string& bytes : {std::string(), std::string("PAR1"), std::string(5000, 'x'),
                                   file_.substr(1), file_.substr(0, file_.size() - 1)}) {
    const auto result = Put({.dataset = "copy"}, bytes);
    EXPECT_EQ(KindOf(result.status()), ErrorKind::kInvalidArgument) << result.status();
    EXPECT_THAT(result.status().message(), HasSubstr("what was sent is not stored"));
  }
  EXPECT_EQ(KindOf(service_.Describe(caller_, "copy").status()), ErrorKind::kNotFound);
}

TEST_F(StoredFileTest, ADamagedPageIsNotStored) {
  // Anywhere in the pages: behind the file's first bytes and before its indexes and footer.
  for (size_t at = 4; at < file_.size() / 2; at += 97) {
    std::string damaged = file_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_EQ(KindOf(Put({.dataset = "copy"}, damaged).status()), ErrorKind::kInvalidArgument)
        << at;
  }
}

TEST_F(StoredFileTest, AFooterThatEndsEarlyIsNotStored) {
  std::string damaged = file_;
  std::fill(damaged.end() - 200, damaged.end() - 8, '\0');
  EXPECT_EQ(KindOf(Put({.dataset = "copy"}, damaged).status()), ErrorKind::kInvalidArgument);
}

TEST_F(StoredFileTest, LimitsOfUploadsHoldForFilesToo) {
  EXPECT_EQ(KindOf(Put({.dataset = "copy"}, std::string((1 << 20) + 1, 'x')).status()),
            ErrorKind::kResourceExhausted);
  DatasetService two_columns(store_, std::make_shared<RecordingLogger>(),
                             {.retention = {}, .uploads = {.columns = 2}});
  auto upload = two_columns.BeginFileUpload(caller_, {.dataset = "copy"}).ValueOrDie();
  ASSERT_TRUE(upload->Append(file_.data(), static_cast<int64_t>(file_.size())).ok());
  EXPECT_EQ(KindOf(upload->Commit().status()), ErrorKind::kInvalidArgument);
}

TEST_F(StoredFileTest, PreconditionsHoldAsForTables) {
  const auto first = Put({.dataset = "copy", .mode = UploadMode::kCreate}, file_).ValueOrDie();
  EXPECT_EQ(KindOf(Put({.dataset = "copy", .mode = UploadMode::kCreate}, file_).status()),
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(KindOf(Put({.dataset = "copy", .if_version = "other"}, file_).status()),
            ErrorKind::kFailedPrecondition);
  EXPECT_TRUE(Put({.dataset = "copy", .if_version = first.version}, file_).ok());
  EXPECT_EQ(KindOf(Put({.dataset = "copy", .rows = 999}, file_).status()),
            ErrorKind::kInvalidArgument);
  EXPECT_TRUE(Put({.dataset = "copy", .rows = 1000}, file_).ok());
}

TEST_F(StoredFileTest, AskingForAnEncodingIsRefusedAtOnce) {
  EXPECT_EQ(
      KindOf(service_.BeginFileUpload(caller_, {.dataset = "copy", .codec = "zstd"}).status()),
      ErrorKind::kInvalidArgument);
}

TEST_F(StoredFileTest, AnUploadThatIsSentAgainIsKnownByItsBytes) {
  const UploadRequest request{.dataset = "copy", .mode = UploadMode::kCreate, .upload_id = "one"};
  const auto first = Put(request, file_).ValueOrDie();
  EXPECT_FALSE(first.repeated);
  const auto again = Put(request, file_).ValueOrDie();
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.version, first.version);
  StoreNumbered(*store_, "other", 7);
  EXPECT_EQ(KindOf(Put(request, LoadBytes(*store_, "other")).status()), ErrorKind::kAlreadyExists);
}

TEST_F(StoredFileTest, AnUploadThatIsGivenUpLeavesNothing) {
  auto upload = service_.BeginFileUpload(caller_, {.dataset = "copy"}).ValueOrDie();
  ASSERT_TRUE(upload->Append(file_.data(), 100).ok());
  upload.reset();
  EXPECT_EQ(KindOf(Get({.dataset = "copy"}).status()), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace hangar
