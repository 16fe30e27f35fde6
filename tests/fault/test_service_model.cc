// Random calls of the whole service, each compared with a model: what a map in memory says must
// come of it. HANGAR_FAULT=long makes 100,000 calls on a store in memory and 5,000 on a folder
// instead of 3,000 and 300. The seed is printed; HANGAR_SEED gives it back.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "service/dataset_service.h"
#include "service/version_history.h"
#include "store/local_store.h"
#include "store/memory_store.h"
#include "store/test_support.h"
#include "tests/support/recording_logger.h"
#include "tests/support/test_data.h"

namespace hangar {
namespace {

constexpr int64_t kRowsMax = 500;
const std::vector<std::string> kNames = {"a", "b.parquet", "c/d", "c/e", "f/g/h"};

// Rows `first` and on of the numbered table, and the upload that made them.
struct Content {
  std::string version;
  int64_t first = 0;
  int64_t rows = 0;
  std::string upload_id;
};

struct Past {
  Content content;
  bool dropped = false;
  bool renamed = false;  // It can be read by this name, and no more.
};

// What must hold of one name.
struct Name {
  std::optional<Content> current;
  std::vector<Past> past;  // The latest first.

  const Content* Find(const std::string& version) const {
    if (current && current->version == version) return &*current;
    for (const Past& entry : past) {
      if (entry.content.version == version) return &entry.content;
    }
    return nullptr;
  }
  void Retire(bool dropped) {
    if (current) past.insert(past.begin(), {.content = *current, .dropped = dropped});
    current.reset();
  }
};

bool IsLong() {
  const char* form = std::getenv("HANGAR_FAULT");
  return form != nullptr && std::string(form) == "long";
}

uint64_t Seed() {
  if (const char* given = std::getenv("HANGAR_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

class Trial {
 public:
  Trial(std::shared_ptr<ObjectStore> store, uint64_t seed)
      : service_(std::move(store), std::make_shared<RecordingLogger>(), {.cache_bytes = 1 << 20}),
        random_(seed) {}

  void Run(int64_t calls) {
    const std::function<void()> kCalls[] = {
        [&] { Put(); },          [&] { Put(); },    [&] { Put(); },   [&] { Read(); },
        [&] { Read(); },         [&] { Read(); },   [&] { Drop(); },  [&] { Rename(); },
        [&] { Restore(); },      [&] { Undrop(); }, [&] { Purge(); }, [&] { List(); },
        [&] { ListVersions(); },
    };
    for (int64_t call = 0; call < calls && !::testing::Test::HasFailure(); ++call) {
      SCOPED_TRACE("call " + std::to_string(call));
      kCalls[Pick(std::size(kCalls))]();
    }
  }

 private:
  size_t Pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random_); }
  bool Chance(int percent) { return Pick(100) < static_cast<size_t>(percent); }
  const std::string& AnyName() { return kNames[Pick(kNames.size())]; }

  // A version that the name has or had, or none that there ever was.
  std::string AnyVersion(const Name& name) {
    if (Chance(10) || (!name.current && name.past.empty())) return "0123";
    const size_t pick = Pick(name.past.size() + 1);
    if (pick < name.past.size()) return name.past[pick].content.version;
    return name.current ? name.current->version : name.past[0].content.version;
  }

  std::optional<std::string> AnyCondition(const Name& name) {
    if (Chance(60)) return std::nullopt;
    if (name.current && Chance(60)) return name.current->version;
    return AnyVersion(name);
  }

  static bool Holds(const std::optional<std::string>& if_version, const Name& name) {
    return !if_version || (name.current && name.current->version == *if_version);
  }

  static void Expect(const arrow::Status& status, std::optional<ErrorKind> kind) {
    if (!kind) {
      EXPECT_TRUE(status.ok()) << status;
    } else if (status.ok()) {
      ADD_FAILURE() << "expected " << ErrorKindName(*kind) << ", and it was done";
    } else {
      EXPECT_EQ(KindOf(status), *kind) << status;
    }
  }

  void Put() {
    const std::string dataset = AnyName();
    Name& name = names_[dataset];
    UploadRequest request{.dataset = dataset, .if_version = {}, .upload_id = {}, .rows = {}};
    if (Chance(20)) {
      request.mode = UploadMode::kCreate;
    } else {
      request.if_version = AnyCondition(name);
    }
    if (Chance(40)) request.upload_id = "id-" + std::to_string(Pick(6));
    const auto first = static_cast<int64_t>(Pick(1'000));
    const auto rows = static_cast<int64_t>(Pick(kRowsMax));
    if (Chance(30)) request.rows = Chance(80) ? rows : rows + 1;
    const auto result = Upload(request, first, rows);

    if (const Content* earlier = FindUpload(name, request.upload_id)) {
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_TRUE(result->repeated);
      EXPECT_EQ(result->version, earlier->version);
      EXPECT_EQ(result->rows, earlier->rows);
      return;
    }
    std::optional<ErrorKind> kind;
    if (request.mode == UploadMode::kCreate && name.current) {
      kind = ErrorKind::kAlreadyExists;
    } else if (!Holds(request.if_version, name)) {
      kind = ErrorKind::kFailedPrecondition;
    } else if (request.rows && *request.rows != rows) {
      kind = ErrorKind::kInvalidArgument;
    }
    Expect(result.status(), kind);
    if (!result.ok()) return;
    EXPECT_EQ(result->rows, rows);
    EXPECT_FALSE(result->repeated);
    EXPECT_EQ(name.Find(result->version), nullptr);
    name.Retire(/*dropped=*/false);
    name.current = {.version = result->version,
                    .first = first,
                    .rows = rows,
                    .upload_id = request.upload_id.value_or("")};
  }

  arrow::Result<UploadResult> Upload(const UploadRequest& request, int64_t first, int64_t rows) {
    ARROW_ASSIGN_OR_RAISE(auto upload, service_.BeginUpload(caller_, request, NumberedSchema()));
    const auto half = static_cast<int64_t>(Pick(static_cast<size_t>(rows) + 1));
    ARROW_RETURN_NOT_OK(upload->Append(NumberedBatch(first, half)));
    ARROW_RETURN_NOT_OK(upload->Append(NumberedBatch(first + half, rows - half)));
    return upload->Commit();
  }

  static const Content* FindUpload(const Name& name, const std::optional<std::string>& id) {
    if (!id) return nullptr;
    if (name.current && name.current->upload_id == *id) return &*name.current;
    for (const Past& entry : name.past) {
      if (!entry.renamed && entry.content.upload_id == *id) return &entry.content;
    }
    return nullptr;
  }

  void Read() {
    const std::string dataset = AnyName();
    const Name& name = names_[dataset];
    ReadRequest request{.dataset = dataset, .version = {}, .as_of = {}, .columns = {}};
    if (Chance(50)) request.version = AnyVersion(name);
    request.offset_rows = Chance(50) ? 0 : static_cast<int64_t>(Pick(kRowsMax));
    if (Chance(50)) request.limit_rows = static_cast<int64_t>(Pick(kRowsMax));
    if (Chance(30)) request.columns = {"half", "id"};
    const Content* content = nullptr;
    if (request.version) {
      content = name.Find(*request.version);
    } else if (name.current) {
      content = &*name.current;
    }
    const auto read = [&]() -> arrow::Result<std::shared_ptr<arrow::Table>> {
      ARROW_ASSIGN_OR_RAISE(const auto stream, service_.Read(caller_, request));
      return stream->ToTable();
    }();
    if (content == nullptr) return Expect(read.status(), ErrorKind::kNotFound);
    ASSERT_TRUE(read.ok()) << read.status();
    const int64_t begin = std::min(request.offset_rows, content->rows);
    const int64_t rows =
        std::min(request.limit_rows.value_or(content->rows), content->rows - begin);
    auto want = NumberedBatch(content->first + begin, rows);
    if (request.columns) want = want->SelectColumns({2, 0}).ValueOrDie();
    EXPECT_TRUE((*read)->Equals(*arrow::Table::FromRecordBatches({want}).ValueOrDie()))
        << dataset << " " << request.version.value_or("current");
    const auto described = service_.DescribeRead(caller_, request, 1);
    ASSERT_TRUE(described.ok()) << described.status();
    EXPECT_EQ(described->rows, rows);
    EXPECT_EQ(described->dataset.version, content->version);
  }

  void Drop() {
    const std::string dataset = AnyName();
    Name& name = names_[dataset];
    const DatasetService::DropRequest request{
        .dataset = dataset, .if_version = AnyCondition(name), .purge = Chance(10)};
    const bool holds = Holds(request.if_version, name);
    const auto status = service_.Drop(caller_, request);
    if (!name.current) return Expect(status, ErrorKind::kNotFound);
    if (!holds) return Expect(status, ErrorKind::kFailedPrecondition);
    Expect(status, std::nullopt);
    name.Retire(/*dropped=*/true);
    if (request.purge) name.past.clear();
  }

  void Rename() {
    const std::string from = AnyName();
    const std::string to = AnyName();
    Name& source = names_[from];
    Name& target = names_[to];
    const DatasetService::RenameRequest request{
        .from = from, .to = to, .if_version = AnyCondition(source), .overwrite = Chance(50)};
    const auto renamed = service_.Rename(caller_, request);
    if (!source.current) return Expect(renamed.status(), ErrorKind::kNotFound);
    if (!Holds(request.if_version, source)) {
      return Expect(renamed.status(), ErrorKind::kFailedPrecondition);
    }
    if (!request.overwrite && target.current) {
      return Expect(renamed.status(), ErrorKind::kAlreadyExists);
    }
    ASSERT_TRUE(renamed.ok()) << renamed.status();
    EXPECT_EQ(renamed->version, source.current->version);
    if (from == to) return;
    target.Retire(/*dropped=*/false);
    target.current = source.current;
    source.Retire(/*dropped=*/false);
    source.past[0].renamed = true;
  }

  void Restore() {
    const std::string dataset = AnyName();
    Name& name = names_[dataset];
    const VersionHistory::RestoreRequest request{.dataset = dataset,
                                                 .version = AnyVersion(name),
                                                 .as_of = {},
                                                 .if_version = AnyCondition(name)};
    const auto restored = service_.history().Restore(caller_, request);
    if (!Holds(request.if_version, name)) {
      return Expect(restored.status(), ErrorKind::kFailedPrecondition);
    }
    if (name.current && name.current->version == *request.version) {
      return Expect(restored.status(), std::nullopt);
    }
    const auto found = std::ranges::find(name.past, *request.version,
                                         [](const Past& entry) { return entry.content.version; });
    if (found == name.past.end() || found->renamed) {
      return Expect(restored.status(), ErrorKind::kNotFound);
    }
    Expect(restored.status(), std::nullopt);
    BringBack(name, found);
  }

  void Undrop() {
    const std::string dataset = AnyName();
    Name& name = names_[dataset];
    const auto restored = service_.history().Undrop(caller_, dataset);
    if (name.current) return Expect(restored.status(), ErrorKind::kAlreadyExists);
    const auto found = std::ranges::find(name.past, true, &Past::dropped);
    if (found == name.past.end()) return Expect(restored.status(), ErrorKind::kNotFound);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(restored->version, found->content.version);
    BringBack(name, found);
  }

  static void BringBack(Name& name, std::vector<Past>::iterator entry) {
    const Content content = entry->content;
    name.past.erase(entry);
    name.Retire(/*dropped=*/false);
    name.current = content;
  }

  void Purge() {
    const std::string dataset = AnyName();
    Name& name = names_[dataset];
    std::optional<std::string> version;
    if (Chance(70)) version = AnyVersion(name);
    const auto goes = [&](const Past& entry) {
      return !version || entry.content.version == *version;
    };
    const auto purged = service_.history().Purge(caller_, dataset, version);
    if (std::ranges::none_of(name.past, goes)) {
      return Expect(purged.status(), ErrorKind::kNotFound);
    }
    ASSERT_TRUE(purged.ok()) << purged.status();
    EXPECT_EQ(purged->versions, std::ranges::count_if(name.past, [&](const Past& entry) {
                return goes(entry) && !entry.renamed;
              }));
    std::erase_if(name.past, goes);
  }

  void List() {
    ListRequest request{.prefix = Chance(30) ? "c/" : "", .glob = Chance(20) ? "*" : ""};
    if (Chance(30)) request.after = AnyName();
    if (Chance(30)) request.limit = static_cast<int64_t>(Pick(4));
    std::vector<std::string> want;
    for (const auto& [name, state] : names_) {
      const bool wanted = name.starts_with(request.prefix) && name > request.after &&
                          (request.glob.empty() || !name.contains('/'));
      const bool fits = !request.limit || static_cast<int64_t>(want.size()) < *request.limit;
      if (wanted && fits && state.current) want.push_back(name + " " + state.current->version);
    }
    std::vector<std::string> listed;
    const auto lister = service_.List(caller_, request).ValueOrDie();
    while (const auto dataset = lister->Next().ValueOrDie()) {
      listed.push_back(dataset->name + " " + dataset->version);
    }
    EXPECT_EQ(listed, want);
  }

  void ListVersions() {
    const std::string dataset = AnyName();
    const Name& name = names_[dataset];
    std::vector<std::string> want;
    if (name.current) want.push_back(name.current->version);
    for (const Past& entry : name.past) {
      if (!entry.renamed) want.push_back(entry.content.version);
    }
    const auto versions = service_.history().Versions(caller_, dataset);
    if (want.empty()) return Expect(versions.status(), ErrorKind::kNotFound);
    ASSERT_TRUE(versions.ok()) << versions.status();
    std::vector<std::string> listed;
    for (const DatasetDescription& version : *versions) listed.push_back(version.version);
    EXPECT_EQ(listed, want);
  }

  DatasetService service_;
  const Caller caller_;
  std::mt19937_64 random_;
  std::map<std::string, Name> names_;
};

void RunTrial(const std::string& what, const std::shared_ptr<ObjectStore>& store, int64_t calls) {
  const uint64_t seed = Seed();
  SCOPED_TRACE("HANGAR_SEED=" + std::to_string(seed));
  Trial(store, seed).Run(calls);
  std::printf("fault: %s: calls %lld; VIOLATIONS %d; HANGAR_SEED=%llu\n", what.c_str(),
              static_cast<long long>(calls), ::testing::Test::HasFailure() ? 1 : 0,
              static_cast<unsigned long long>(seed));
}

TEST(ServiceModel, TheServiceDoesWhatAMapInMemoryDoes) {
  RunTrial("service on a store in memory", MakeMemoryStore(), IsLong() ? 100'000 : 3'000);
}

TEST(ServiceModel, TheServiceDoesTheSameOnAFolder) {
  const TemporaryFolder folder;
  RunTrial("service on a folder", LocalStore::Make(folder.string()).ValueOrDie(),
           IsLong() ? 5'000 : 300);
}

}  // namespace
}  // namespace hangar
