#include "service/version_history.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "service/dataset_service.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VersionHistoryTest : public ::testing::Test {
 protected:
  arrow::Result<UploadResult> TryPut(const UploadRequest& request, int64_t rows) {
    ARROW_ASSIGN_OR_RAISE(auto upload, service_.BeginUpload(caller_, request, NumberedSchema()));
    ARROW_RETURN_NOT_OK(upload->Append(NumberedBatch(0, rows)));
    return upload->Commit();
  }
  // Returns the version.
  std::string Put(const std::string& name, int64_t rows) {
    return TryPut({.dataset = name}, rows).ValueOrDie().version;
  }

  arrow::Result<int64_t> Rows(const ReadRequest& request) {
    ARROW_ASSIGN_OR_RAISE(auto stream, service_.Read(caller_, request));
    ARROW_ASSIGN_OR_RAISE(const auto table, stream->ToTable());
    return table->num_rows();
  }

  std::vector<std::string> Versions(const std::string& name) {
    std::vector<std::string> versions;
    for (const auto& version : history().Versions(caller_, name).ValueOrDie()) {
      versions.push_back(version.version);
    }
    return versions;
  }

  std::vector<std::string> Trash(const ListRequest& request = {}) {
    std::vector<std::string> names;
    const auto lister = history().Trash(caller_, request).ValueOrDie();
    while (const auto dataset = lister->Next().ValueOrDie()) names.push_back(dataset->name);
    return names;
  }

  void Drop(const std::string& name, bool purge = false) {
    ASSERT_TRUE(service_.Drop(caller_, {.dataset = name, .purge = purge}).ok());
  }

  VersionHistory& history() { return service_.history(); }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  DatasetService service_{store_, std::make_shared<RecordingLogger>(), DatasetService::Options{}};
  const Caller caller_;
};

TEST_F(VersionHistoryTest, APastVersionIsReadAndDescribed) {
  const std::string first = Put("a", 10);
  const std::string second = Put("a", 20);
  EXPECT_EQ(Rows({.dataset = "a", .version = first}).ValueOrDie(), 10);
  EXPECT_EQ(Rows({.dataset = "a", .version = second}).ValueOrDie(), 20);
  const auto read = service_.DescribeRead(caller_, {.dataset = "a", .version = first}, 1);
  EXPECT_EQ(read->rows, 10);
  EXPECT_TRUE(read->dataset.retired);
  EXPECT_FALSE(read->dataset.dropped);
  EXPECT_GT(read->expires, Now());
  EXPECT_FALSE(service_.DescribeRead(caller_, {.dataset = "a"}, 1)->dataset.retired);
  EXPECT_THAT(Versions("a"), ElementsAre(second, first));
}

TEST_F(VersionHistoryTest, ADroppedDatasetIsReadByItsVersionOnly) {
  const std::string version = Put("a", 10);
  Drop("a");
  EXPECT_EQ(Rows({.dataset = "a", .version = version}).ValueOrDie(), 10);
  EXPECT_EQ(KindOf(Rows({.dataset = "a"}).status()), ErrorKind::kNotFound);
  EXPECT_TRUE(
      service_.DescribeRead(caller_, {.dataset = "a", .version = version}, 1)->dataset.dropped);
  const auto gone = Rows({.dataset = "a", .version = "other"}).status();
  EXPECT_EQ(KindOf(gone), ErrorKind::kNotFound);
  EXPECT_THAT(gone.message(), HasSubstr("changed"));
}

TEST_F(VersionHistoryTest, ATicketOfARenamedDatasetIsStillGood) {
  const std::string version = Put("a", 10);
  ASSERT_TRUE(service_.Rename(caller_, {.from = "a", .to = "b", .if_version = {}}).ok());
  EXPECT_EQ(Rows({.dataset = "a", .version = version}).ValueOrDie(), 10);
  EXPECT_TRUE(service_.RenewRead(caller_, {.dataset = "a", .version = version}).ok());
  // There is nothing to bring back, though.
  EXPECT_EQ(KindOf(history().Versions(caller_, "a").status()), ErrorKind::kNotFound);
  EXPECT_THAT(Trash(), ElementsAre());
}

TEST_F(VersionHistoryTest, ATimeFindsTheVersionThatWasCurrentThen) {
  const Timestamp before = Now() - std::chrono::hours(1);
  Put("a", 10);
  const Timestamp first = Now();
  Put("a", 20);
  const Timestamp second = Now();
  Drop("a");
  const Timestamp dropped = Now();
  Put("a", 30);
  EXPECT_EQ(KindOf(Rows({.dataset = "a", .as_of = before}).status()), ErrorKind::kNotFound);
  EXPECT_EQ(Rows({.dataset = "a", .as_of = first}).ValueOrDie(), 10);
  EXPECT_EQ(Rows({.dataset = "a", .as_of = second}).ValueOrDie(), 20);
  EXPECT_EQ(KindOf(Rows({.dataset = "a", .as_of = dropped}).status()), ErrorKind::kNotFound);
  EXPECT_EQ(Rows({.dataset = "a", .as_of = Now()}).ValueOrDie(), 30);
  EXPECT_EQ(KindOf(Rows({.dataset = "a", .version = "v", .as_of = first}).status()),
            ErrorKind::kInvalidArgument);
}

TEST_F(VersionHistoryTest, ARestoredVersionIsTheCurrentOne) {
  const std::string first = Put("a", 10);
  const std::string second = Put("a", 20);
  EXPECT_EQ(KindOf(history()
                       .Restore(caller_, {.dataset = "a", .version = first, .if_version = "other"})
                       .status()),
            ErrorKind::kFailedPrecondition);
  const auto restored =
      history().Restore(caller_, {.dataset = "a", .version = first, .if_version = second});
  EXPECT_EQ(restored->version, first);
  EXPECT_EQ(Rows({.dataset = "a"}).ValueOrDie(), 10);
  EXPECT_THAT(Versions("a"), ElementsAre(first, second));
  for (const VersionHistory::RestoreRequest& request :
       {VersionHistory::RestoreRequest{.dataset = "a"},
        VersionHistory::RestoreRequest{.dataset = "a", .version = first, .as_of = Now()},
        VersionHistory::RestoreRequest{.dataset = "../a", .version = first}}) {
    EXPECT_EQ(KindOf(history().Restore(caller_, request).status()), ErrorKind::kInvalidArgument);
  }
}

TEST_F(VersionHistoryTest, ADropIsUndone) {
  Put("a", 10);
  const std::string dropped = Put("a", 20);
  Put("b", 1);
  Drop("a");
  EXPECT_THAT(Trash(), ElementsAre("a"));
  EXPECT_EQ(history().Undrop(caller_, "a")->version, dropped);
  EXPECT_EQ(Rows({.dataset = "a"}).ValueOrDie(), 20);
  EXPECT_THAT(Trash(), ElementsAre());
  EXPECT_EQ(KindOf(history().Undrop(caller_, "a").status()), ErrorKind::kAlreadyExists);
  EXPECT_EQ(KindOf(history().Undrop(caller_, "c").status()), ErrorKind::kNotFound);
  Drop("a");
  Put("a", 30);
  EXPECT_THAT(Trash(), ElementsAre());
  EXPECT_EQ(KindOf(history().Undrop(caller_, "a").status()), ErrorKind::kAlreadyExists);
}

TEST_F(VersionHistoryTest, TheTrashIsListedAsDatasetsAre) {
  for (const char* name : {"a/1", "a/2", "b/1", "b/2"}) {
    Put(name, 1);
    Drop(name);
  }
  EXPECT_THAT(Trash({.prefix = "a/"}), ElementsAre("a/1", "a/2"));
  EXPECT_THAT(Trash({.glob = "*/1"}), ElementsAre("a/1", "b/1"));
  EXPECT_THAT(Trash({.after = "a/2", .limit = 1}), ElementsAre("b/1"));
}

TEST_F(VersionHistoryTest, PurgingRemovesThePastForGood) {
  const std::string first = Put("a", 10);
  Put("a", 20);
  const std::string current = Put("a", 30);
  EXPECT_EQ(history().Purge(caller_, "a", first)->versions, 1);
  EXPECT_EQ(KindOf(history().Purge(caller_, "a", first).status()), ErrorKind::kNotFound);
  EXPECT_EQ(history().Describe(caller_)->totals.versions, 1);
  EXPECT_EQ(history().Purge(caller_, "a", std::nullopt)->versions, 1);
  EXPECT_EQ(KindOf(history().Purge(caller_, "a", std::nullopt).status()), ErrorKind::kNotFound);
  EXPECT_THAT(Versions("a"), ElementsAre(current));
  Put("a", 40);
  Drop("a", /*purge=*/true);
  EXPECT_EQ(KindOf(history().Versions(caller_, "a").status()), ErrorKind::kNotFound);
}

TEST_F(VersionHistoryTest, AnUploadThatWasCommittedIsNotStoredTwice) {
  const UploadRequest request{.dataset = "a", .upload_id = "id-1"};
  const auto first = TryPut(request, 10).ValueOrDie();
  EXPECT_FALSE(first.repeated);
  const auto again = TryPut(request, 10).ValueOrDie();
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.version, first.version);
  EXPECT_EQ(again.rows, 10);
  EXPECT_EQ(again.bytes, first.bytes);
  EXPECT_THAT(Versions("a"), ElementsAre(first.version));

  const auto other = TryPut({.dataset = "a", .upload_id = "id-2"}, 20).ValueOrDie();
  EXPECT_FALSE(other.repeated);
  // It is known still, as what it stored is kept.
  EXPECT_EQ(TryPut(request, 10)->version, first.version);
  EXPECT_EQ(service_.Describe(caller_, "a")->version, other.version);
  EXPECT_FALSE(TryPut({.dataset = "b", .upload_id = "id-1"}, 10)->repeated);
}

TEST_F(VersionHistoryTest, ARepeatedUploadMeetsItsOwnConditionsAgain) {
  const UploadRequest create{.dataset = "a", .mode = UploadMode::kCreate, .upload_id = "id-1"};
  const std::string first = TryPut(create, 10).ValueOrDie().version;
  EXPECT_EQ(TryPut(create, 10)->version, first);
  const UploadRequest replace{.dataset = "a", .if_version = first, .upload_id = "id-2"};
  const std::string second = TryPut(replace, 20).ValueOrDie().version;
  EXPECT_EQ(TryPut(replace, 20)->version, second);
  for (const std::string& id : {std::string(), std::string(129, 'x'), std::string("\xff")}) {
    EXPECT_EQ(KindOf(TryPut({.dataset = "a", .upload_id = id}, 1).status()),
              ErrorKind::kInvalidArgument);
  }
}

TEST_F(VersionHistoryTest, OfUploadsOfOneIdAtOnceOneIsStored) {
  std::vector<std::thread> threads;
  std::vector<UploadResult> results(8);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back(
        [&, i] { results[i] = TryPut({.dataset = "a", .upload_id = "id"}, 10).ValueOrDie(); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::ranges::count(results, false, &UploadResult::repeated), 1);
  EXPECT_EQ(Versions("a").size(), 1U);
}

TEST_F(VersionHistoryTest, TheIdOfAnUploadIsNoneOfTheSchemasMetadata) {
  ASSERT_TRUE(TryPut({.dataset = "a", .upload_id = "id"}, 10).ok());
  EXPECT_TRUE(service_.Describe(caller_, "a")
                  ->schema->Equals(*NumberedSchema(),
                                   /*check_metadata=*/true));
}

TEST_F(VersionHistoryTest, ACheckReadsEveryFile) {
  Put("a", 10);
  auto staged = store_->Stage({}).ValueOrDie();
  ASSERT_TRUE(staged->Append("junk", 4).ok());
  ASSERT_TRUE(staged->Seal().ok());
  ASSERT_TRUE(staged->Publish("b", Precondition::None()).ok());
  const auto check = service_.Check(caller_, std::nullopt).ValueOrDie();
  const auto good = check->Next().ValueOrDie().value();
  EXPECT_EQ(good.name, "a");
  EXPECT_EQ(good.rows, 10);
  EXPECT_FALSE(good.problem);
  const auto bad = check->Next().ValueOrDie().value();
  EXPECT_EQ(bad.name, "b");
  EXPECT_THAT(bad.problem.value_or(""), HasSubstr("not a Parquet file"));
  EXPECT_FALSE(check->Next().ValueOrDie());
  EXPECT_EQ(service_.Check(caller_, "a").ValueOrDie()->Next().ValueOrDie()->rows, 10);
  EXPECT_EQ(KindOf(service_.Check(caller_, "c").status()), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace hangar
