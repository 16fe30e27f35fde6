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
    if (action.type == "drop_dataset") {
      MutexLock lock(mutex_);
      if (tables_.erase(body) == 0) return Error(ErrorKind::kNotFound, "no dataset '{}'", body);
    } else {
      const json names = json::parse(body);
      const Batches batches = Get(names["from"]);
      Set(names["to"], batches);
    }
    *out = std::make_unique<flight::SimpleResultStream>(std::vector<flight::Result>());
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

  Mutex mutex_;
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
