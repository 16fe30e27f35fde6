#include "service/dataset_service.h"

#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;

class DatasetServiceTest : public ::testing::Test {
 protected:
  arrow::Result<UploadResult> Put(const UploadRequest& request, int64_t rows) {
    ARROW_ASSIGN_OR_RAISE(auto upload, service_.BeginUpload(caller_, request, NumberedSchema()));
    ARROW_RETURN_NOT_OK(upload->Append(NumberedBatch(0, rows)));
    return upload->Commit();
  }

  arrow::Result<int64_t> RowsOf(const std::string& name) {
    ARROW_ASSIGN_OR_RAISE(auto stream, service_.Read(caller_, {.dataset = name}));
    ARROW_ASSIGN_OR_RAISE(const auto table, stream->ToTable());
    return table->num_rows();
  }

  std::vector<std::string> Names() {
    std::vector<std::string> names;
    auto lister = service_.List(caller_, {}).ValueOrDie();
    while (const auto dataset = lister->Next().ValueOrDie()) names.push_back(dataset->name);
    return names;
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  DatasetService service_{store_, std::make_shared<RecordingLogger>(), DatasetService::Options{}};
  const Caller caller_;
};

TEST_F(DatasetServiceTest, AnUploadIsVisibleFromItsCommitOn) {
  auto upload = service_.BeginUpload(caller_, {.dataset = "a"}, NumberedSchema()).ValueOrDie();
  ASSERT_TRUE(upload->Append(NumberedBatch(0, 100)).ok());
  EXPECT_THAT(Names(), ElementsAre());
  const auto result = upload->Commit();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->rows, 100);
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_EQ(service_.Describe(caller_, "a")->version, result->version);
  EXPECT_EQ(service_.Describe(caller_, "a")->bytes, result->bytes);
  EXPECT_EQ(RowsOf("a").ValueOrDie(), 100);
}

TEST_F(DatasetServiceTest, AnUploadThatIsGivenUpChangesNothing) {
  ASSERT_TRUE(Put({.dataset = "a"}, 5).ok());
  {
    auto upload = service_.BeginUpload(caller_, {.dataset = "a"}, NumberedSchema()).ValueOrDie();
    ASSERT_TRUE(upload->Append(NumberedBatch(0, 100)).ok());
  }
  EXPECT_EQ(RowsOf("a").ValueOrDie(), 5);
}

TEST_F(DatasetServiceTest, AnUploadWhoseCallerIsGoneIsNotPublished) {
  const Caller gone{.is_cancelled = [] { return true; }};
  auto upload = service_.BeginUpload(gone, {.dataset = "a"}, NumberedSchema()).ValueOrDie();
  ASSERT_TRUE(upload->Append(NumberedBatch(0, 100)).ok());
  EXPECT_EQ(KindOf(upload->Commit().status()), ErrorKind::kCancelled);
  EXPECT_THAT(Names(), ElementsAre());
}

TEST_F(DatasetServiceTest, AReadWhoseCallerGoesEnds) {
  ASSERT_TRUE(Put({.dataset = "a"}, 5).ok());
  bool gone = false;
  const Caller caller{.is_cancelled = [&gone] { return gone; }};
  const auto stream = service_.Read(caller, {.dataset = "a"}).ValueOrDie();
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  gone = true;
  EXPECT_EQ(KindOf(stream->ReadNext(&batch)), ErrorKind::kCancelled);
}

TEST_F(DatasetServiceTest, CreateAndIfVersionAreCheckedBeforeAndAtTheCommit) {
  const auto first = Put({.dataset = "a", .mode = UploadMode::kCreate}, 1).ValueOrDie();
  EXPECT_EQ(KindOf(Put({.dataset = "a", .mode = UploadMode::kCreate}, 2).status()),
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(KindOf(Put({.dataset = "a", .if_version = "other"}, 2).status()),
            ErrorKind::kFailedPrecondition);
  EXPECT_EQ(KindOf(Put({.dataset = "b", .if_version = first.version}, 2).status()),
            ErrorKind::kFailedPrecondition);
  EXPECT_EQ(
      KindOf(Put({.dataset = "a", .mode = UploadMode::kCreate, .if_version = "x"}, 2).status()),
      ErrorKind::kInvalidArgument);
  // Two that both may begin: only one may commit.
  const UploadRequest request{.dataset = "a", .if_version = first.version};
  auto one = service_.BeginUpload(caller_, request, NumberedSchema()).ValueOrDie();
  auto two = service_.BeginUpload(caller_, request, NumberedSchema()).ValueOrDie();
  EXPECT_TRUE(one->Commit().ok());
  EXPECT_EQ(KindOf(two->Commit().status()), ErrorKind::kFailedPrecondition);
}

TEST_F(DatasetServiceTest, DescribesAReadWithItsPartitions) {
  ASSERT_TRUE(Put({.dataset = "a", .row_group_rows = 100}, 1'000).ok());
  const auto description =
      service_.DescribeRead(caller_, {.dataset = "a", .columns = {{"id"}}, .offset_rows = 50}, 4);
  ASSERT_TRUE(description.ok()) << description.status();
  EXPECT_EQ(description->rows, 950);
  EXPECT_EQ(description->dataset.rows, 1'000);
  EXPECT_EQ(description->schema->num_fields(), 1);
  EXPECT_EQ(description->partitions.size(), 4u);
  for (const int64_t wrong : {int64_t{0}, int64_t{-1}, int64_t{10'001}}) {
    EXPECT_EQ(KindOf(service_.DescribeRead(caller_, {.dataset = "a"}, wrong).status()),
              ErrorKind::kInvalidArgument);
  }
}

TEST_F(DatasetServiceTest, EveryUseCaseRefusesABadName) {
  const std::string bad = "a/../b";
  EXPECT_EQ(KindOf(Put({.dataset = bad}, 1).status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(service_.Describe(caller_, bad).status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(service_.DescribeRead(caller_, {.dataset = bad}, 1).status()),
            ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(service_.Read(caller_, {.dataset = bad}).status()), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(service_.Drop(caller_, {.dataset = bad})), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(service_.Rename(caller_, {.from = bad, .to = "c"}).status()),
            ErrorKind::kInvalidArgument);
  ASSERT_TRUE(Put({.dataset = "c"}, 1).ok());
  EXPECT_EQ(KindOf(service_.Rename(caller_, {.from = "c", .to = bad}).status()),
            ErrorKind::kInvalidArgument);
  EXPECT_THAT(Names(), ElementsAre("c"));
}

TEST_F(DatasetServiceTest, DropRemovesAndKnowsWhatIsNotThere) {
  const auto put = Put({.dataset = "a"}, 1).ValueOrDie();
  EXPECT_EQ(KindOf(service_.Drop(caller_, {.dataset = "a", .if_version = "other"})),
            ErrorKind::kFailedPrecondition);
  EXPECT_TRUE(service_.Drop(caller_, {.dataset = "a", .if_version = put.version}).ok());
  EXPECT_EQ(KindOf(service_.Drop(caller_, {.dataset = "a"})), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(service_.Describe(caller_, "a").status()), ErrorKind::kNotFound);
}

TEST_F(DatasetServiceTest, RenameMovesAndOverwritesOnlyWhenAsked) {
  ASSERT_TRUE(Put({.dataset = "a"}, 1).ok());
  ASSERT_TRUE(Put({.dataset = "b"}, 2).ok());
  EXPECT_EQ(KindOf(service_.Rename(caller_, {.from = "a", .to = "b"}).status()),
            ErrorKind::kAlreadyExists);
  EXPECT_TRUE(service_.Rename(caller_, {.from = "a", .to = "b", .overwrite = true}).ok());
  EXPECT_THAT(Names(), ElementsAre("b"));
  EXPECT_EQ(RowsOf("b").ValueOrDie(), 1);
  EXPECT_EQ(KindOf(service_.Rename(caller_, {.from = "a", .to = "c"}).status()),
            ErrorKind::kNotFound);
}

TEST_F(DatasetServiceTest, AnUploadThatWasAnnouncedHasToBeComplete) {
  const auto put = [&](int64_t announced) {
    auto upload =
        service_.BeginUpload(caller_, {.dataset = "a", .rows = announced}, NumberedSchema())
            .ValueOrDie();
    EXPECT_TRUE(upload->Append(NumberedBatch(0, 100)).ok());
    return upload->Commit().status();
  };
  EXPECT_EQ(KindOf(put(101)), ErrorKind::kInvalidArgument);
  EXPECT_EQ(KindOf(put(0)), ErrorKind::kInvalidArgument);
  EXPECT_THAT(Names(), ElementsAre());
  EXPECT_TRUE(put(100).ok());
}

}  // namespace
}  // namespace hangar
