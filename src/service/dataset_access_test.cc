#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/audit_log.h"
#include "access/policy_keeper.h"
#include "base/error.h"
#include "base/mutex.h"
#include "service/dataset_service.h"
#include "service/version_history.h"
#include "store/memory_store.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kPolicy = R"(
[roles.reader]
members = ["user:reader"]
read = ["open/*"]

[roles.narrow]
members = ["user:narrow"]
read = ["open/*"]
hide_columns = ["na*"]

[roles.writer]
members = ["user:writer"]
write = ["open/*"]

[roles.dropper]
members = ["user:dropper"]
read = ["open/*"]
write = ["open/*"]
drop = ["open/*"]

[roles.narrow_dropper]
members = ["user:narrow_dropper"]
read = ["open/*"]
write = ["open/*"]
drop = ["open/*"]
hide_columns = ["name"]

[roles.admin]
members = ["user:admin"]
admin = ["**"]
)";

class RecordingAuditLog final : public AuditLog {
 public:
  void Record(const AuditEvent& event) override {
    const MutexLock lock(mutex_);
    lines_.push_back(event.action + " " + event.outcome + " " + event.identity + " " +
                     event.dataset);
  }
  void Reopen() override {}
  std::vector<std::string> TakeLines() {
    const MutexLock lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ HANGAR_GUARDED_BY(mutex_);
};

Caller As(const std::string& user) {
  Caller caller{.peer = "ipv4:192.0.2.1:1234"};
  if (!user.empty()) {
    caller.identity =
        std::make_shared<const Identity>(Identity{.kind = IdentityKind::kUser, .name = user});
  }
  return caller;
}

class DatasetAccessTest : public ::testing::Test {
 protected:
  DatasetAccessTest() {
    for (const char* name : {"open/a", "shut/a"}) StoreNumbered(*store_, name, 100);
  }

  DatasetService ServiceBy(const std::string& policy) {
    return DatasetService(store_, std::make_shared<RecordingLogger>(),
                          {.retention = {},
                           .policy = std::make_shared<PolicyKeeper>(
                               AccessPolicy::Parse(policy, "policy").ValueOrDie()),
                           .audit = audit_});
  }

  std::vector<std::string> NamesFor(const std::string& user) {
    std::vector<std::string> names;
    auto lister = service_.List(As(user), {}).ValueOrDie();
    while (const auto dataset = lister->Next().ValueOrDie()) names.push_back(dataset->name);
    return names;
  }

  const std::shared_ptr<ObjectStore> store_ = MakeMemoryStore();
  const std::shared_ptr<RecordingAuditLog> audit_ = std::make_shared<RecordingAuditLog>();
  DatasetService service_ = ServiceBy(std::string(kPolicy));
};

// A use case, and what it takes to be let into it.
struct UseCase {
  const char* name;
  std::function<arrow::Status(DatasetService&, const Caller&, const std::string& dataset)> run;
  std::vector<std::string> allowed;  // On open/*; besides the admin, who is everywhere.
};

arrow::Status PutNumbered(DatasetService& service, const Caller& caller,
                          const std::string& dataset) {
  ARROW_ASSIGN_OR_RAISE(auto upload,
                        service.BeginUpload(caller, {.dataset = dataset}, NumberedSchema()));
  ARROW_RETURN_NOT_OK(upload->Append(NumberedBatch(0, 10)));
  return upload->Commit().status();
}

const std::vector<std::string> kReaders = {"reader", "narrow", "dropper", "narrow_dropper"};
const std::vector<std::string> kWriters = {"writer", "dropper", "narrow_dropper"};

std::vector<UseCase> UseCases() {
  return {
      {"Describe",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Describe(caller, name).status();
       },
       kReaders},
      {"DescribeRead",
       [](auto& service, const auto& caller, const auto& name) {
         return service.DescribeRead(caller, {.dataset = name}, 1).status();
       },
       kReaders},
      {"RenewRead",
       [](auto& service, const auto& caller, const auto& name) {
         return service.RenewRead(caller, {.dataset = name, .version = "gone"}).status();
       },
       kReaders},
      {"Read",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Read(caller, {.dataset = name}).status();
       },
       kReaders},
      {"OpenFile",
       [](auto& service, const auto& caller, const auto& name) {
         return service.OpenFile(caller, {.dataset = name}).status();
       },
       {"reader", "dropper"}},
      {"Check",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Check(caller, name).status();
       },
       kReaders},
      {"Versions",
       [](auto& service, const auto& caller, const auto& name) {
         return service.history().Versions(caller, name).status();
       },
       kReaders},
      {"BeginUpload", PutNumbered, kWriters},
      {"BeginFileUpload",
       [](auto& service, const auto& caller, const auto& name) {
         return service.BeginFileUpload(caller, {.dataset = name}).status();
       },
       kWriters},
      {"Restore",
       [](auto& service, const auto& caller, const auto& name) {
         return service.history().Restore(caller, {.dataset = name, .version = "gone"}).status();
       },
       kWriters},
      {"Undrop",
       [](auto& service, const auto& caller, const auto& name) {
         return service.history().Undrop(caller, name).status();
       },
       kWriters},
      {"Rename",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Rename(caller, {.from = name, .to = name, .overwrite = true}).status();
       },
       {"dropper"}},
      {"Purge",
       [](auto& service, const auto& caller, const auto& name) {
         return service.history().Purge(caller, name, std::nullopt).status();
       },
       {}},
      {"DropAndPurge",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Drop(caller, {.dataset = name, .purge = true});
       },
       {}},
      {"Drop",
       [](auto& service, const auto& caller, const auto& name) {
         return service.Drop(caller, {.dataset = name});
       },
       {"dropper", "narrow_dropper"}},
      {"HistoryStatus",
       [](auto& service, const auto& caller, const auto&) {
         return service.history().Describe(caller).status();
       },
       {}},
      {"RequireAdministrator",
       [](auto& service, const auto& caller, const auto&) {
         return service.RequireAdministrator(caller);
       },
       {}},
  };
}

bool IsLetIn(const arrow::Status& status) {
  return KindOf(status) != ErrorKind::kPermissionDenied &&
         KindOf(status) != ErrorKind::kUnauthenticated;
}

TEST_F(DatasetAccessTest, LetsInExactlyWhoMay) {
  const std::vector<std::string> users = {"",       "stranger", "reader",         "narrow",
                                          "writer", "dropper",  "narrow_dropper", "admin"};
  for (const UseCase& use_case : UseCases()) {
    for (const std::string& user : users) {
      // A dataset that is there, one that could be, and one that is none of theirs.
      for (const std::string dataset : {"open/a", "open/missing", "shut/a", "shut/missing"}) {
        if (!store_->Stat("open/a").ok()) StoreNumbered(*store_, "open/a", 100);
        const bool is_among = std::ranges::find(use_case.allowed, user) != use_case.allowed.end();
        const bool expected = user == "admin" || (dataset.starts_with("open/") && is_among);
        const arrow::Status status = use_case.run(service_, As(user), dataset);
        // Whether columns are hidden shows only where there is a dataset.
        if (std::string_view(use_case.name) == "OpenFile" && dataset == "open/missing" &&
            user.starts_with("narrow")) {
          EXPECT_EQ(KindOf(status), ErrorKind::kNotFound);
          continue;
        }
        EXPECT_EQ(IsLetIn(status), expected)
            << use_case.name << " of " << dataset << " by " << user << ": " << status.ToString();
      }
    }
  }
}

TEST_F(DatasetAccessTest, ARefusalDoesNotTellWhetherThereIsSuchADataset) {
  for (const UseCase& use_case : UseCases()) {
    for (const char* user : {"", "stranger"}) {
      const auto there = use_case.run(service_, As(user), "shut/a");
      const auto missing = use_case.run(service_, As(user), "shut/b");
      EXPECT_EQ(KindOf(there), KindOf(missing)) << use_case.name;
      std::string sentence = missing.message();
      if (const auto at = sentence.find("shut/b"); at != std::string::npos) {
        sentence.replace(at, 6, "shut/a");
      }
      EXPECT_EQ(there.message(), sentence) << use_case.name;
    }
  }
}

TEST_F(DatasetAccessTest, WhoShowedNothingIsToldToAndOthersAreNot) {
  EXPECT_EQ(KindOf(service_.Describe(As(""), "open/a").status()), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf(service_.Describe(As("stranger"), "open/a").status()),
            ErrorKind::kPermissionDenied);
}

TEST_F(DatasetAccessTest, ListsShowWhatMayBeRead) {
  EXPECT_THAT(NamesFor("reader"), ElementsAre("open/a"));
  EXPECT_THAT(NamesFor("narrow"), ElementsAre("open/a"));
  EXPECT_THAT(NamesFor("writer"), IsEmpty());
  EXPECT_THAT(NamesFor("stranger"), IsEmpty());
  EXPECT_THAT(NamesFor("admin"), ElementsAre("open/a", "shut/a"));
}

TEST_F(DatasetAccessTest, WhoShowedNothingAndMayReadNothingIsToldSoInsteadOfAnEmptyList) {
  EXPECT_EQ(KindOf(service_.List(As(""), {}).status()), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf(service_.history().Trash(As(""), {}).status()), ErrorKind::kUnauthenticated);
  auto open = ServiceBy("[roles.a]\nmembers = ['everyone']\nread = ['open/*']\n");
  EXPECT_TRUE(open.List(As(""), {}).ok());
}

TEST_F(DatasetAccessTest, ALimitCountsWhatIsShown) {
  for (const char* name : {"a", "b", "open/b"}) StoreNumbered(*store_, name, 1);
  auto lister = service_.List(As("reader"), {.limit = 2}).ValueOrDie();
  EXPECT_EQ(lister->Next().ValueOrDie()->name, "open/a");
  EXPECT_EQ(lister->Next().ValueOrDie()->name, "open/b");
  EXPECT_FALSE(lister->Next().ValueOrDie());
}

TEST_F(DatasetAccessTest, TheTrashAndChecksShowWhatMayBeRead) {
  ASSERT_TRUE(service_.Drop(As("admin"), {.dataset = "shut/a"}).ok());
  ASSERT_TRUE(service_.Drop(As("admin"), {.dataset = "open/a"}).ok());
  auto trash = service_.history().Trash(As("reader"), {}).ValueOrDie();
  EXPECT_EQ(trash->Next().ValueOrDie()->name, "open/a");
  EXPECT_FALSE(trash->Next().ValueOrDie());
  StoreNumbered(*store_, "shut/b", 1);
  StoreNumbered(*store_, "open/b", 1);
  auto check = service_.Check(As("reader"), std::nullopt).ValueOrDie();
  EXPECT_EQ(check->Next().ValueOrDie()->name, "open/b");
  EXPECT_FALSE(check->Next().ValueOrDie());
}

TEST_F(DatasetAccessTest, HiddenColumnsAreNeitherDescribedNorRead) {
  const auto description = service_.Describe(As("narrow"), "open/a").ValueOrDie();
  EXPECT_EQ(description.schema->field_names(), (std::vector<std::string>{"id", "half"}));
  const auto read = service_.DescribeRead(As("narrow"), {.dataset = "open/a"}, 1).ValueOrDie();
  EXPECT_EQ(read.schema->field_names(), (std::vector<std::string>{"id", "half"}));
  const auto stream = service_.Read(As("narrow"), {.dataset = "open/a"}).ValueOrDie();
  const auto table = stream->ToTable().ValueOrDie();
  EXPECT_EQ(table->ColumnNames(), (std::vector<std::string>{"id", "half"}));
  EXPECT_EQ(table->num_rows(), 100);
  auto lister = service_.List(As("narrow"), {}).ValueOrDie();
  EXPECT_EQ(lister->Next().ValueOrDie()->schema->num_fields(), 2);
  EXPECT_EQ(service_.history().Versions(As("narrow"), "open/a")->front().schema->num_fields(), 2);
}

TEST_F(DatasetAccessTest, AHiddenColumnIsAskedForAsInVainAsOneThatIsNotThere) {
  const auto ask = [&](const std::string& column) {
    return service_
        .Read(As("narrow"),
              {.dataset = "open/a", .columns = std::vector<std::string>{"id", column}})
        .status();
  };
  EXPECT_EQ(KindOf(ask("name")), ErrorKind::kInvalidArgument);
  EXPECT_EQ(ask("name").message(), "there is no column 'name'; the columns are 'id', 'half'");
  EXPECT_EQ(ask("none").message(), "there is no column 'none'; the columns are 'id', 'half'");
}

TEST_F(DatasetAccessTest, MetadataOfASchemaThatIsNotWhollySeenIsNotShown) {
  const auto with_metadata =
      NumberedSchema()->WithMetadata(arrow::key_value_metadata({"pandas"}, {"about name"}));
  auto upload =
      service_.BeginUpload(As("admin"), {.dataset = "open/m"}, with_metadata).ValueOrDie();
  ASSERT_TRUE(upload->Commit().ok());
  EXPECT_NE(service_.Describe(As("reader"), "open/m")->schema->metadata(), nullptr);
  EXPECT_EQ(service_.Describe(As("narrow"), "open/m")->schema->metadata(), nullptr);
  EXPECT_EQ(service_
                .DescribeRead(As("narrow"),
                              {.dataset = "open/m", .columns = std::vector<std::string>{"id"}}, 1)
                ->schema->metadata(),
            nullptr);
}

TEST_F(DatasetAccessTest, ChangesAndRefusalsAreNoted) {
  ASSERT_TRUE(PutNumbered(service_, As("dropper"), "open/b").ok());
  ASSERT_FALSE(PutNumbered(service_, As("reader"), "open/b").ok());
  ASSERT_FALSE(service_.Describe(As(""), "open/b").ok());
  ASSERT_TRUE(service_.Rename(As("dropper"), {.from = "open/b", .to = "open/c"}).ok());
  ASSERT_TRUE(service_.Drop(As("dropper"), {.dataset = "open/c"}).ok());
  ASSERT_FALSE(service_.Drop(As("dropper"), {.dataset = "open/c"}).ok());
  ASSERT_TRUE(service_.history().Undrop(As("writer"), "open/c").ok());
  ASSERT_TRUE(service_.Describe(As("reader"), "open/c").ok());
  EXPECT_THAT(
      audit_->TakeLines(),
      ElementsAre("put done user:dropper open/b", "write refused user:reader open/b",
                  "read refused anonymous open/b", "rename done user:dropper open/b -> open/c",
                  "drop done user:dropper open/c", "drop failed user:dropper open/c",
                  "undrop done user:writer open/c"));
}

TEST_F(DatasetAccessTest, CallsTellWhatTheyCameTo) {
  Caller caller = As("dropper");
  caller.activity = std::make_shared<CallActivity>();
  ASSERT_TRUE(PutNumbered(service_, caller, "open/b").ok());
  EXPECT_EQ(caller.activity->dataset(), "open/b");
  EXPECT_EQ(caller.activity->rows_in, 10);
  EXPECT_GT(caller.activity->bytes_in, 0);
  const auto stream = service_.Read(caller, {.dataset = "open/a"}).ValueOrDie();
  ASSERT_TRUE(stream->ToTable().ok());
  EXPECT_EQ(caller.activity->dataset(), "open/a");
  EXPECT_EQ(caller.activity->rows_out, 100);
  EXPECT_GT(caller.activity->bytes_out, 800);
}

}  // namespace
}  // namespace hangar
