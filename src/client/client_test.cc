#include "client/client.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/flight/server.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/mutex.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;
using nlohmann::json;

std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("x", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t from, int64_t to) {
  arrow::Int64Builder builder;
  for (int64_t i = from; i < to; ++i) EXPECT_TRUE(builder.Append(i).ok());
  return arrow::RecordBatch::Make(TestSchema(), to - from, {*builder.Finish()});
}

// A Flight server that keeps tables in memory and speaks as much of Hangar's protocol as a client
// can see. Tickets are "NAME FROM TO", a range of batches.
class MemoryServer final : public flight::FlightServerBase {
 public:
  using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

  void Set(const std::string& name, Batches batches) {
    MutexLock lock(mutex_);
    tables_[name] = std::move(batches);
  }
  bool Has(const std::string& name) {
    MutexLock lock(mutex_);
    return tables_.contains(name);
  }
  Batches Get(const std::string& name) {
    MutexLock lock(mutex_);
    return tables_[name];
  }
  /// What an action answers from now on, one result each.
  void Answer(const std::string& action, std::vector<std::string> results) {
    MutexLock lock(mutex_);
    answers_[action] = std::move(results);
  }
  /// "ACTION BODY" of each that was asked for.
  std::vector<std::string> actions() {
    MutexLock lock(mutex_);
    return actions_;
  }
  std::vector<std::string> criteria() {
    MutexLock lock(mutex_);
    return criteria_;
  }

  arrow::Status ListFlights(const flight::ServerCallContext&, const flight::Criteria* criteria,
                            std::unique_ptr<flight::FlightListing>* listing) override {
    MutexLock lock(mutex_);
    criteria_.push_back(criteria->expression);
    const json request = json::parse(criteria->expression);
    std::vector<flight::FlightInfo> infos;
    for (const auto& [name, batches] : tables_) {
      if (name <= request.value("after", "")) continue;
      if (static_cast<int64_t>(infos.size()) == request.value("limit", int64_t{1} << 40)) break;
      ARROW_ASSIGN_OR_RAISE(auto info, Describe(name, batches, 1));
      infos.push_back(std::move(info));
    }
    *listing = std::make_unique<flight::SimpleFlightListing>(std::move(infos));
    return arrow::Status::OK();
  }

  arrow::Status GetFlightInfo(const flight::ServerCallContext&,
                              const flight::FlightDescriptor& descriptor,
                              std::unique_ptr<flight::FlightInfo>* out) override {
    MutexLock lock(mutex_);
    const json command = descriptor.type == flight::FlightDescriptor::CMD
                             ? json::parse(descriptor.cmd)
                             : json{{"dataset", descriptor.path.at(0)}};
    const std::string name = command["dataset"];
    const auto found = tables_.find(name);
    if (found == tables_.end()) return Error(ErrorKind::kNotFound, "no dataset '{}'", name);
    ARROW_ASSIGN_OR_RAISE(auto info,
                          Describe(name, found->second, command.value("partitions", size_t{1})));
    *out = std::make_unique<flight::FlightInfo>(std::move(info));
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const flight::ServerCallContext&, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* out) override {
    const json range = json::parse(ticket.ticket);
    const Batches all = Get(range["name"]);
    const size_t from = range["from"];
    const size_t to = range["to"];
    Batches part(all.begin() + static_cast<int64_t>(from), all.begin() + static_cast<int64_t>(to));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make(part, TestSchema()));
    *out = std::make_unique<flight::RecordBatchStream>(std::move(reader));
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const flight::ServerCallContext&,
                      std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter> writer) override {
    if (reader->descriptor().type == flight::FlightDescriptor::CMD) {
      return Error(ErrorKind::kAlreadyExists, "it is there already");
    }
    ARROW_ASSIGN_OR_RAISE(auto batches, reader->ToRecordBatches());
    const std::string name = reader->descriptor().path.at(0);
    int64_t rows = 0;
    for (const auto& batch : batches) rows += batch->num_rows();
    Set(name, std::move(batches));
    const json answer = {{"dataset", name}, {"version", "v1"}, {"rows", rows}, {"bytes", 1}};
    return writer->WriteMetadata(*arrow::Buffer::FromString(answer.dump()));
  }

  arrow::Status DoAction(const flight::ServerCallContext&, const flight::Action& action,
                         std::unique_ptr<flight::ResultStream>* out) override {
    const std::string body = action.body->ToString();
    std::vector<flight::Result> results;
    MutexLock lock(mutex_);
    actions_.push_back(action.type + " " + body);
    if (answers_.contains(action.type)) {
      for (const std::string& answer : answers_[action.type]) {
        results.push_back({arrow::Buffer::FromString(answer)});
      }
    } else if (action.type == "drop_dataset") {
      if (tables_.erase(body) == 0) return Error(ErrorKind::kNotFound, "no dataset '{}'", body);
    } else if (action.type == "rename_dataset") {
      const json names = json::parse(body);
      tables_[names["to"]] = tables_[names["from"]];
    } else if (action.type == "list_trash") {
      ARROW_ASSIGN_OR_RAISE(results, Trash(json::parse(body)));
    } else {
      return Error(ErrorKind::kNotFound, "nothing for '{}'", action.type);
    }
    *out = std::make_unique<flight::SimpleResultStream>(std::move(results));
    return arrow::Status::OK();
  }

  arrow::Status ListActions(const flight::ServerCallContext&,
                            std::vector<flight::ActionType>* actions) override {
    actions->push_back({"drop_dataset", "drops"});
    return arrow::Status::OK();
  }

 private:
  static arrow::Result<flight::FlightInfo> Describe(const std::string& name, const Batches& batches,
                                                    size_t partitions) {
    int64_t rows = 0;
    for (const auto& batch : batches) rows += batch->num_rows();
    std::vector<flight::FlightEndpoint> endpoints;
    for (size_t i = 0; i < partitions; ++i) {
      const json ticket = {{"name", name},
                           {"from", batches.size() * i / partitions},
                           {"to", batches.size() * (i + 1) / partitions}};
      endpoints.push_back({{ticket.dump()}, {flight::Location::ReuseConnection()}, {}, {}});
    }
    const json metadata = {{"dataset", name}, {"version", "v1"}};
    return flight::FlightInfo::Make(*TestSchema(), flight::FlightDescriptor::Path({name}),
                                    endpoints, rows, 1, true, metadata.dump());
  }

  // As if the tables were what was dropped.
  arrow::Result<std::vector<flight::Result>> Trash(const json& request) HANGAR_REQUIRES(mutex_) {
    std::vector<flight::Result> results;
    for (const auto& [name, batches] : tables_) {
      if (name <= request.value("after", "")) continue;
      if (static_cast<int64_t>(results.size()) == request.value("limit", int64_t{1} << 40)) break;
      results.push_back({arrow::Buffer::FromString(json{{"dataset", name}}.dump())});
    }
    return results;
  }

  Mutex mutex_;
  std::map<std::string, std::vector<std::string>> answers_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::string> actions_ HANGAR_GUARDED_BY(mutex_);
  std::map<std::string, Batches> tables_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::string> criteria_ HANGAR_GUARDED_BY(mutex_);
};

// Fails after some batches, as a file that is cut short does.
class BrokenReader final : public arrow::RecordBatchReader {
 public:
  explicit BrokenReader(int batches) : remaining_(batches) {}
  std::shared_ptr<arrow::Schema> schema() const override { return TestSchema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (remaining_-- == 0) return arrow::Status::IOError("the file is cut short");
    *batch = Numbers(0, 1000);
    return arrow::Status::OK();
  }

 private:
  int remaining_;
};

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto location = *flight::Location::ForGrpcTcp("127.0.0.1", 0);
    ASSERT_TRUE(server_.Init(flight::FlightServerOptions(location)).ok());
    uri_ = "grpc://127.0.0.1:" + std::to_string(server_.port());
    auto client = Client::Connect({.uri = uri_});
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  void TearDown() override { ASSERT_TRUE(server_.Shutdown().ok()); }

  static MemoryServer::Batches Cut(int64_t rows, int64_t rows_a_batch) {
    MemoryServer::Batches batches;
    for (int64_t at = 0; at < rows; at += rows_a_batch) {
      batches.push_back(Numbers(at, std::min(rows, at + rows_a_batch)));
    }
    return batches;
  }

  void ExpectNumbers(const arrow::RecordBatchReader* reader, arrow::RecordBatchReader& batches,
                     int64_t rows) {
    ASSERT_NE(reader, nullptr);
    const auto table = batches.ToTable();
    ASSERT_TRUE(table.ok()) << table.status();
    const auto expected = *arrow::Table::FromRecordBatches({Numbers(0, rows)});
    EXPECT_TRUE((*table)->CombineChunks().ValueOrDie()->Equals(*expected));
  }

  MemoryServer server_;
  std::string uri_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, ReadsPartitionsInParallelAndInOrder) {
  server_.Set("a", Cut(50'000, 100));
  for (const int partitions : {1, 2, 3, 16}) {
    const auto stream = client_->Get("a", {.columns = {}, .partitions = partitions});
    ASSERT_TRUE(stream.ok()) << stream.status();
    EXPECT_EQ(stream->info.rows, 50'000);
    ExpectNumbers(stream->batches.get(), *stream->batches, 50'000);
  }
}

TEST_F(ClientTest, ReadsADatasetWithoutRows) {
  server_.Set("a", {});
  const auto stream = client_->Get("a", {.columns = {}, .partitions = 4});
  ASSERT_TRUE(stream.ok()) << stream.status();
  ExpectNumbers(stream->batches.get(), *stream->batches, 0);
}

TEST_F(ClientTest, AReadCanBeLeftInTheMiddleAndOutlivesTheClient) {
  server_.Set("a", Cut(200'000, 100));
  auto stream = client_->Get("a", {.columns = {}, .partitions = 4});
  ASSERT_TRUE(stream.ok()) << stream.status();
  client_.reset();
  const auto batch = stream->batches->Next();
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE((*batch)->Equals(*Numbers(0, 100)));
  stream->batches.reset();  // Does not hang.
}

TEST_F(ClientTest, RefusesPartitionsOutOfRange) {
  EXPECT_EQ(ErrorCode(client_->Get("a", {.columns = {}, .partitions = 0}).status()),
            "INVALID_ARGUMENT");
  EXPECT_EQ(ErrorCode(client_->Get("a", {.columns = {}, .offset = -1}).status()),
            "INVALID_ARGUMENT");
}

TEST_F(ClientTest, UploadsInSlicesOfAMebibyte) {
  const auto batch = Numbers(0, 1'000'000);
  const auto reader = *arrow::RecordBatchReader::Make({batch}, TestSchema());
  PutProgress last;
  const auto summary = client_->Put(
      "a", *reader,
      {.if_version = "", .codec = "", .on_progress = [&](const PutProgress& p) { last = p; }});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->rows, 1'000'000);
  EXPECT_EQ(last.rows, 1'000'000);
  EXPECT_GE(last.bytes, 8'000'000);
  const auto stored = server_.Get("a");
  EXPECT_EQ(stored.size(), 8u);
  const auto table = *arrow::Table::FromRecordBatches(stored);
  EXPECT_TRUE((*table->CombineChunksToBatch())->Equals(*batch));
}

TEST_F(ClientTest, UploadsWithoutAnyBatch) {
  const auto reader = *arrow::RecordBatchReader::Make({}, TestSchema());
  const auto summary = client_->Put("a", *reader, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->rows, 0);
  EXPECT_TRUE(server_.Has("a"));
}

TEST_F(ClientTest, AnInputThatFailsPublishesNothing) {
  for (const int batches : {0, 1, 5}) {
    BrokenReader reader(batches);
    const auto summary = client_->Put("a", reader, {});
    EXPECT_EQ(summary.status().message(), "the file is cut short");
    EXPECT_FALSE(server_.Has("a")) << batches;
  }
}

TEST_F(ClientTest, ARefusedUploadTellsTheServersSentence) {
  const auto reader = *arrow::RecordBatchReader::Make(Cut(100'000, 1000), TestSchema());
  const auto status =
      client_->Put("a", *reader, {.create = true, .if_version = "", .codec = ""}).status();
  EXPECT_EQ(status.message(), "it is there already");
  EXPECT_EQ(ErrorCode(status), "ALREADY_EXISTS");
}

TEST_F(ClientTest, ListsPageByPage) {
  for (int i = 0; i < 2500; ++i) server_.Set(std::to_string(10'000 + i), {});
  const auto listing = client_->List({});
  std::string last;
  int count = 0;
  while (true) {
    const auto dataset = listing->Next();
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    if (!*dataset) break;
    EXPECT_LT(last, (*dataset)->name);
    last = (*dataset)->name;
    ++count;
  }
  EXPECT_EQ(count, 2500);
  EXPECT_EQ(server_.criteria().size(), 3u);
}

TEST_F(ClientTest, ListsNoMoreThanTheLimit) {
  for (int i = 0; i < 5; ++i) server_.Set(std::to_string(i), {});
  const auto listing = client_->List({.prefix = "", .glob = "", .after = "1", .limit = 2});
  EXPECT_EQ((*listing->Next())->name, "2");
  EXPECT_EQ((*listing->Next())->name, "3");
  EXPECT_FALSE((*listing->Next()).has_value());
}

TEST_F(ClientTest, DescribesDropsAndRenames) {
  server_.Set("a", Cut(10, 10));
  EXPECT_EQ(client_->Describe("a")->rows, 10);
  ASSERT_TRUE(client_->Rename("a", "b", {}).ok());
  EXPECT_TRUE(server_.Has("b"));
  ASSERT_TRUE(client_->Drop("b").ok());
  EXPECT_FALSE(server_.Has("b"));
  const auto gone = client_->Drop("b");
  EXPECT_EQ(gone.message(), "no dataset 'b'");
  EXPECT_EQ(ErrorCode(gone), "NOT_FOUND");
  EXPECT_EQ(ErrorCode(client_->Describe("b").status()), "NOT_FOUND");
}

TEST_F(ClientTest, TellsTheVersionsInTheServersOrder) {
  server_.Answer("list_versions", {R"({"dataset": "a", "version": "3", "current": true})",
                                   R"({"dataset": "a", "version": "2", "by": "replaced"})",
                                   R"({"dataset": "a", "version": "1", "by": "dropped"})"});
  const auto versions = client_->Versions("a");
  ASSERT_TRUE(versions.ok()) << versions.status();
  ASSERT_EQ(versions->size(), 3u);
  EXPECT_EQ(versions->front().version, "3");
  EXPECT_EQ(versions->back().version, "1");
  EXPECT_EQ(versions->back().state, VersionState::kDropped);
  EXPECT_THAT(server_.actions(), testing::ElementsAre(R"(list_versions {"dataset":"a"})"));
}

TEST_F(ClientTest, BringsVersionsBack) {
  server_.Answer("restore_dataset", {R"({"dataset": "a", "version": "v"})"});
  const auto restored = client_->Restore("a", {.version = "v", .if_version = "w"});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->version, "v");
  EXPECT_EQ(ErrorCode(client_->Undrop("b").status()), "NOT_FOUND");
  server_.Answer("undrop_dataset", {R"({"dataset": "b", "version": "x"})"});
  EXPECT_EQ(client_->Undrop("b")->version, "x");
  EXPECT_THAT(server_.actions(),
              testing::ElementsAre(
                  R"(restore_dataset {"dataset":"a","if_version":"w","version":"v"})",
                  R"(undrop_dataset {"dataset":"b"})", R"(undrop_dataset {"dataset":"b"})"));
}

TEST_F(ClientTest, ListsTheTrashPageByPage) {
  for (int i = 0; i < 2500; ++i) server_.Set(std::to_string(10'000 + i), {});
  const auto trash = client_->Trash({});
  int count = 0;
  while (true) {
    const auto dropped = trash->Next();
    ASSERT_TRUE(dropped.ok()) << dropped.status();
    if (!*dropped) break;
    EXPECT_EQ((*dropped)->name, std::to_string(10'000 + count));
    ++count;
  }
  EXPECT_EQ(count, 2500);
  EXPECT_EQ(server_.actions().size(), 3u);
}

TEST_F(ClientTest, ChecksAsManyAsTheServerNames) {
  server_.Answer("check_dataset", {R"({"dataset": "a", "rows": 1, "bytes": 2})",
                                   R"({"dataset": "b", "problem": "it is damaged"})"});
  const auto checks = client_->Check();
  EXPECT_FALSE((*checks->Next())->problem.has_value());
  EXPECT_EQ((*checks->Next())->problem, "it is damaged");
  EXPECT_FALSE((*checks->Next()).has_value());
  EXPECT_FALSE((*checks->Next()).has_value());
  EXPECT_THAT(server_.actions(), testing::ElementsAre("check_dataset "));
}

TEST_F(ClientTest, AnAnswerThatIsMissingIsAnError) {
  for (const char* action :
       {"restore_dataset", "undrop_dataset", "purge_versions", "history_status"}) {
    server_.Answer(action, {});
  }
  EXPECT_EQ(ErrorCode(client_->Restore("a", {}).status()), "INTERNAL");
  EXPECT_EQ(ErrorCode(client_->Undrop("a").status()), "INTERNAL");
  EXPECT_EQ(ErrorCode(client_->PurgeVersions("a").status()), "INTERNAL");
  EXPECT_EQ(ErrorCode(client_->History().status()), "INTERNAL");
}

TEST_F(ClientTest, NamesTheActions) {
  const auto actions = client_->Actions();
  ASSERT_TRUE(actions.ok()) << actions.status();
  ASSERT_EQ(actions->size(), 1u);
  EXPECT_EQ(actions->front().name, "drop_dataset");
}

TEST(Client, SaysWhenNobodyAnswers) {
  const auto client = Client::Connect({.uri = "grpc+unix:///no-such-folder/hangar.socket"});
  ASSERT_TRUE(client.ok()) << client.status();
  const auto status = (*client)->Describe("a").status();
  EXPECT_EQ(ErrorCode(status), "UNAVAILABLE");
  EXPECT_THAT(
      status.message(),
      testing::StartsWith(
          "cannot reach grpc+unix:///no-such-folder/hangar.socket (No such file or directory): "));
}

TEST(Client, RefusesWhatIsNotAnAddress) {
  for (const char* uri : {"", "localhost", "http://localhost:1", "::"}) {
    EXPECT_EQ(ErrorCode(Client::Connect({.uri = uri}).status()), "INVALID_ARGUMENT") << uri;
  }
}

}  // namespace
}  // namespace hangar::client
