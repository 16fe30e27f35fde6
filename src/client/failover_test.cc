// The client before several servers of the same datasets, each of which can be made to fail.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/flight/server.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/mutex.h"
#include "client/client.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int64_t kRows = 10'000;
constexpr int64_t kBatchRows = 100;

std::shared_ptr<arrow::Schema> RowSchema() {
  return arrow::schema({arrow::field("x", arrow::int64())});
}

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t from, int64_t to) {
  arrow::Int64Builder builder;
  for (int64_t i = from; i < to; ++i) EXPECT_TRUE(builder.Append(i).ok());
  return arrow::RecordBatch::Make(RowSchema(), to - from, {*builder.Finish()});
}

constexpr int64_t kBlockBytes = 1 << 20;
constexpr int64_t kFileBytes = 150 * kBlockBytes + 12'345;  // Several parts of 64 MiB.

std::shared_ptr<arrow::Schema> FileSchema() {
  return arrow::schema({arrow::field("parquet", arrow::binary(), /*nullable=*/false)});
}

// Bytes that tell where in the file they stand.
std::string FileBytes(int64_t from, int64_t to) {
  std::string bytes(static_cast<size_t>(to - from), '\0');
  for (int64_t i = from; i < to; ++i) {
    bytes[static_cast<size_t>(i - from)] = static_cast<char>(i * 31 + i / 4'096);
  }
  return bytes;
}

std::shared_ptr<arrow::RecordBatch> Block(int64_t from, int64_t to) {
  arrow::BinaryBuilder builder;
  EXPECT_TRUE(builder.Append(FileBytes(from, to)).ok());
  return arrow::RecordBatch::Make(FileSchema(), 1, {*builder.Finish()});
}

// What all servers have.
struct Store {
  Mutex mutex;
  std::string version HANGAR_GUARDED_BY(mutex) = "v1";
  std::map<std::string, int64_t> uploads HANGAR_GUARDED_BY(mutex);  // By upload_id, their rows.
  int stored HANGAR_GUARDED_BY(mutex) = 0;
  int dropped HANGAR_GUARDED_BY(mutex) = 0;
};

// How a server fails from now on.
struct Faults {
  int64_t read_breaks_after = -1;  // So many batches of each stream.
  bool read_ends_there = false;    // As if that were all of it.
  ErrorKind breaks_with = ErrorKind::kUnavailable;
  int64_t put_breaks_after = -1;  // So many batches.
  bool put_loses_answer = false;
  bool refuses_all = false;
  bool is_stopping = false;
  bool drop_loses_answer = false;
};

// Sends batches until it breaks.
class BreakingReader final : public arrow::RecordBatchReader {
 public:
  using Make = std::function<std::shared_ptr<arrow::RecordBatch>(int64_t from, int64_t to)>;

  BreakingReader(std::shared_ptr<arrow::Schema> schema, Make make, int64_t step, int64_t from,
                 int64_t to, const Faults& faults)
      : schema_(std::move(schema)),
        make_(std::move(make)),
        step_(step),
        at_(from),
        to_(to),
        faults_(faults) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    if (sent_++ == faults_.read_breaks_after) {
      if (faults_.read_ends_there) return arrow::Status::OK();
      return flight::MakeFlightError(faults_.breaks_with == ErrorKind::kUnavailable
                                         ? flight::FlightStatusCode::Unavailable
                                         : flight::FlightStatusCode::Internal,
                                     "it broke");
    }
    if (at_ == to_) return arrow::Status::OK();
    const int64_t end = std::min(at_ + step_, to_);
    *out = make_(at_, end);
    at_ = end;
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const Make make_;
  const int64_t step_;
  int64_t at_;
  const int64_t to_;
  const Faults faults_;
  int64_t sent_ = 0;
};

// The dataset "a" of kRows rows and kFileBytes bytes, as Hangar describes it.
class FaultyServer final : public flight::FlightServerBase {
 public:
  explicit FaultyServer(std::shared_ptr<Store> store) : store_(std::move(store)) {
    EXPECT_TRUE(
        Init(flight::FlightServerOptions(*flight::Location::ForGrpcTcp("127.0.0.1", 0))).ok());
    uri = "grpc://127.0.0.1:" + std::to_string(port());
  }

  std::string uri;

  void Set(const Faults& faults) {
    const MutexLock lock(mutex_);
    faults_ = faults;
  }
  void SetLocations(std::vector<std::string> uris) {
    const MutexLock lock(mutex_);
    locations_ = std::move(uris);
  }
  // "GetFlightInfo ROWS", "DoGet ROWS", "DoPut ID", "DoAction NAME", each as it came.
  std::vector<std::string> calls() {
    const MutexLock lock(mutex_);
    return calls_;
  }

  arrow::Status GetFlightInfo(const flight::ServerCallContext&,
                              const flight::FlightDescriptor& descriptor,
                              std::unique_ptr<flight::FlightInfo>* out) override {
    const json command = descriptor.type == flight::FlightDescriptor::CMD
                             ? json::parse(descriptor.cmd)
                             : json{{"dataset", descriptor.path.at(0)}};
    const bool file = command.value("format", "") == "parquet";
    const int64_t all = file ? kFileBytes : kRows;
    const int64_t from = std::min(command.value("offset", int64_t{0}), all);
    const int64_t to = std::min(from + command.value("limit", all), all);
    ARROW_RETURN_NOT_OK(Note("GetFlightInfo " + std::to_string(to - from)));
    {
      const MutexLock lock(store_->mutex);
      if (command.value("version", store_->version) != store_->version) {
        return Error(ErrorKind::kNotFound, "version {} is kept no longer",
                     command["version"].get<std::string>());
      }
    }
    const int64_t unit = file ? kBlockBytes : kBatchRows;
    const int64_t units = (to - from + unit - 1) / unit;
    const int64_t parts = std::min(command.value("partitions", int64_t{1}), units);
    std::vector<flight::FlightEndpoint> endpoints;
    for (int64_t i = 0; i < parts; ++i) {
      const int64_t begin = from + units * i / parts * unit;
      const int64_t end = std::min(from + units * (i + 1) / parts * unit, to);
      const json ticket = {{"file", file}, {"from", begin}, {"to", end}};
      const json metadata = {{"offset", begin}, {file ? "bytes" : "rows", end - begin}};
      endpoints.push_back({{ticket.dump()}, Locations(), {}, metadata.dump()});
    }
    const json metadata = {{"dataset", "a"}, {"version", "v1"}};
    ARROW_ASSIGN_OR_RAISE(
        auto info,
        flight::FlightInfo::Make(file ? *FileSchema() : *RowSchema(), descriptor, endpoints,
                                 file ? units : to - from, kFileBytes, true, metadata.dump()));
    *out = std::make_unique<flight::FlightInfo>(std::move(info));
    return arrow::Status::OK();
  }

  arrow::Status DoGet(const flight::ServerCallContext&, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* out) override {
    const json range = json::parse(ticket.ticket);
    const int64_t from = range["from"];
    const int64_t to = range["to"];
    ARROW_RETURN_NOT_OK(Note("DoGet " + std::to_string(to - from)));
    const bool file = range["file"];
    *out = std::make_unique<flight::RecordBatchStream>(
        std::make_shared<BreakingReader>(file ? FileSchema() : RowSchema(), file ? Block : Numbers,
                                         file ? kBlockBytes : kBatchRows, from, to, faults()));
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const flight::ServerCallContext&,
                      std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter> writer) override {
    const auto& descriptor = reader->descriptor();
    const json command = descriptor.type == flight::FlightDescriptor::CMD
                             ? json::parse(descriptor.cmd)
                             : json::object();
    const std::string id = command.value("upload_id", "");
    ARROW_RETURN_NOT_OK(Note("DoPut " + std::string(id.empty() ? "without an id" : "with an id")));
    int64_t rows = 0;
    for (int64_t batches = 0;; ++batches) {
      if (batches == faults().put_breaks_after) {
        return flight::MakeFlightError(flight::FlightStatusCode::Unavailable, "it broke");
      }
      ARROW_ASSIGN_OR_RAISE(const auto chunk, reader->Next());
      if (chunk.data == nullptr) break;
      rows += chunk.data->num_rows();
    }
    const bool repeated = Commit(id, rows);
    if (faults().put_loses_answer) {
      return flight::MakeFlightError(flight::FlightStatusCode::Unavailable, "the answer was lost");
    }
    const json answer = {
        {"dataset", "a"}, {"version", "v2"}, {"rows", rows}, {"bytes", 1}, {"repeated", repeated}};
    return writer->WriteMetadata(*arrow::Buffer::FromString(answer.dump()));
  }

  arrow::Status DoAction(const flight::ServerCallContext&, const flight::Action& action,
                         std::unique_ptr<flight::ResultStream>* out) override {
    ARROW_RETURN_NOT_OK(Note("DoAction " + action.type));
    std::vector<flight::Result> results;
    if (action.type == "drop_dataset") {
      {
        const MutexLock lock(store_->mutex);
        ++store_->dropped;
      }
      if (faults().drop_loses_answer) {
        return flight::MakeFlightError(flight::FlightStatusCode::Unavailable,
                                       "the answer was lost");
      }
    } else if (action.type == "list_versions") {
      results.push_back({arrow::Buffer::FromString(R"({"dataset": "a", "version": "v1"})")});
    }
    *out = std::make_unique<flight::SimpleResultStream>(std::move(results));
    return arrow::Status::OK();
  }

 private:
  arrow::Status Note(std::string call) {
    const MutexLock lock(mutex_);
    calls_.push_back(std::move(call));
    if (faults_.is_stopping) {
      return flight::MakeFlightError(flight::FlightStatusCode::Unavailable,
                                     "the server is stopping", "NOT_BEGUN");
    }
    if (!faults_.refuses_all) return arrow::Status::OK();
    return flight::MakeFlightError(flight::FlightStatusCode::Unavailable, "not now");
  }
  Faults faults() {
    const MutexLock lock(mutex_);
    return faults_;
  }
  std::vector<flight::Location> Locations() {
    const MutexLock lock(mutex_);
    std::vector<flight::Location> locations;
    for (const auto& where : locations_) locations.push_back(*flight::Location::Parse(where));
    if (locations.empty()) locations.push_back(flight::Location::ReuseConnection());
    return locations;
  }
  // True when there was an upload of this id.
  bool Commit(const std::string& id, int64_t rows) {
    const MutexLock lock(store_->mutex);
    if (!id.empty() && !store_->uploads.emplace(id, rows).second) return true;
    ++store_->stored;
    return false;
  }

  const std::shared_ptr<Store> store_;
  Mutex mutex_;
  Faults faults_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::string> locations_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::string> calls_ HANGAR_GUARDED_BY(mutex_);
};

constexpr char kNobody[] = "grpc+unix:///no-such-folder/nobody";

class FailoverTest : public testing::Test {
 protected:
  void TearDown() override {
    for (FaultyServer* server : {&a_, &b_}) EXPECT_TRUE(server->Shutdown().ok());
  }

  std::unique_ptr<Client> ClientOf(const std::string& uris) {
    return Client::Connect({.uri = uris,
                            .on_failover =
                                [this](const std::string& sentence) {
                                  const MutexLock lock(mutex_);
                                  said_.push_back(sentence);
                                }})
        .ValueOrDie();
  }
  std::unique_ptr<Client> Both() { return ClientOf(a_.uri + "," + b_.uri); }

  std::vector<std::string> said() {
    const MutexLock lock(mutex_);
    return said_;
  }
  int stored() {
    const MutexLock lock(store_->mutex);
    return store_->stored;
  }
  int dropped() {
    const MutexLock lock(store_->mutex);
    return store_->dropped;
  }

  static void ExpectAllRows(const Client& client, const GetOptions& options) {
    const auto stream = client.Get("a", options);
    ASSERT_TRUE(stream.ok()) << stream.status();
    const auto table = stream->batches->ToTable();
    ASSERT_TRUE(table.ok()) << table.status();
    const int64_t from = options.offset;
    const int64_t to = options.limit ? std::min(kRows, from + *options.limit) : kRows;
    const auto expected = *arrow::Table::FromRecordBatches({Numbers(from, to)});
    EXPECT_TRUE((*table)->CombineChunks().ValueOrDie()->Equals(*expected));
  }

  static arrow::Status ReadToEnd(const Client& client) {
    ARROW_ASSIGN_OR_RAISE(const auto stream, client.Get("a", {}));
    return stream.batches->ToTable().status();
  }

  const std::shared_ptr<Store> store_ = std::make_shared<Store>();
  FaultyServer a_{store_};
  FaultyServer b_{store_};
  Mutex mutex_;
  std::vector<std::string> said_ HANGAR_GUARDED_BY(mutex_);
};

TEST_F(FailoverTest, AServerThatAnswersIsAskedAlone) {
  const auto client = Both();
  EXPECT_TRUE(client->Describe("a").ok());
  ExpectAllRows(*client, {});
  EXPECT_THAT(b_.calls(), IsEmpty());
  EXPECT_THAT(said(), IsEmpty());
}

TEST_F(FailoverTest, AServerThatCannotBeReachedIsPassedOverAndThenPutBehind) {
  const auto client = ClientOf(std::string(kNobody) + "," + b_.uri);
  EXPECT_TRUE(client->Describe("a").ok());
  EXPECT_TRUE(client->Versions("a").ok());
  ExpectAllRows(*client, {.columns = {}, .partitions = 4});
  EXPECT_THAT(said(),
              ElementsAre(std::string(kNobody) + " does not answer; going on at " + b_.uri));
}

TEST_F(FailoverTest, AServerThatDoesNotServeNowIsPassedOver) {
  a_.Set({.refuses_all = true});
  const auto client = Both();
  EXPECT_TRUE(client->Describe("a").ok());
  EXPECT_TRUE(client->Describe("a").ok());
  EXPECT_EQ(a_.calls().size(), 1u);
  EXPECT_EQ(b_.calls().size(), 2u);
}

TEST_F(FailoverTest, WhenNobodyAnswersTheErrorNamesAll) {
  a_.Set({.refuses_all = true});
  const auto status = ClientOf(a_.uri + "," + kNobody)->Describe("a").status();
  EXPECT_EQ(ErrorCode(status), "UNAVAILABLE");
  EXPECT_THAT(status.message(), testing::StartsWith("none of the 2 servers answers: "));
  EXPECT_THAT(status.message(), HasSubstr(kNobody));
  EXPECT_THAT(status.message(), HasSubstr("not now"));
  EXPECT_EQ(a_.calls().size(), 2u);
}

TEST_F(FailoverTest, ReadsGoOnFromTheNextRow) {
  for (const int partitions : {1, 3, 8}) {
    for (const int64_t batches : {0, 1, 7}) {
      a_.Set({.read_breaks_after = batches});
      ExpectAllRows(*Both(), {.columns = {}, .partitions = partitions});
      ExpectAllRows(*Both(),
                    {.columns = {}, .offset = 1'234, .limit = 5'678, .partitions = partitions});
    }
  }
}

TEST_F(FailoverTest, AReadThatBrokeOffAsksForWhatIsMissingAlone) {
  a_.Set({.read_breaks_after = 7});
  ExpectAllRows(*Both(), {});
  EXPECT_THAT(b_.calls(), ElementsAre("GetFlightInfo 9300", "DoGet 9300"));
}

TEST_F(FailoverTest, ReadsGoOnAsLongAsTheyGetAnywhere) {
  a_.Set({.read_breaks_after = 3});
  b_.Set({.read_breaks_after = 2});
  ExpectAllRows(*Both(), {.columns = {}, .partitions = 2});
}

TEST_F(FailoverTest, AStreamThatEndsEarlyWithoutAnErrorIsNotTheWhole) {
  a_.Set({.read_breaks_after = 5, .read_ends_there = true});
  ExpectAllRows(*Both(), {});
  EXPECT_EQ(ErrorCode(ReadToEnd(*ClientOf(a_.uri))), "UNAVAILABLE");
}

TEST_F(FailoverTest, AReadEndsOnceNobodyGetsItAnyFurther) {
  a_.Set({.read_breaks_after = 5});
  b_.Set({.refuses_all = true});
  const auto client = Both();
  const auto stream = client->Get("a", {});
  ASSERT_TRUE(stream.ok());
  a_.Set({.refuses_all = true});
  const auto status = stream->batches->ToTable().status();
  EXPECT_EQ(ErrorCode(status), "UNAVAILABLE");
}

TEST_F(FailoverTest, AnErrorThatIsNotTheServersEndsTheRead) {
  a_.Set({.read_breaks_after = 5, .breaks_with = ErrorKind::kInternal});
  EXPECT_EQ(ErrorCode(ReadToEnd(*Both())), "INTERNAL");
  EXPECT_THAT(b_.calls(), IsEmpty());
}

TEST_F(FailoverTest, AVersionThatIsGoneEndsTheReadWithThatError) {
  a_.Set({.read_breaks_after = 5});
  const auto client = Both();
  const auto stream = client->Get("a", {});
  ASSERT_TRUE(stream.ok());
  {
    const MutexLock lock(store_->mutex);
    store_->version = "v2";
  }
  const auto status = stream->batches->ToTable().status();
  EXPECT_EQ(ErrorCode(status), "NOT_FOUND");
  EXPECT_EQ(status.message(), "version v1 is kept no longer");
}

TEST_F(FailoverTest, LocationsAreReadAndTheAskedServerStandsIn) {
  a_.SetLocations({b_.uri, kNobody});
  ExpectAllRows(*ClientOf(a_.uri), {.columns = {}, .partitions = 2});
  EXPECT_EQ(b_.calls().size(), 2u);
  EXPECT_EQ(a_.calls().size(), 1u);
  b_.Set({.read_breaks_after = 1});
  ExpectAllRows(*ClientOf(a_.uri), {.columns = {}, .partitions = 2});
}

TEST_F(FailoverTest, OneServerIsAskedOnceOnly) {
  a_.Set({.read_breaks_after = 5});
  const auto status = ReadToEnd(*ClientOf(a_.uri));
  EXPECT_EQ(status.message(), "it broke");
  EXPECT_EQ(a_.calls().size(), 2u);
}

TEST_F(FailoverTest, FilesGoOnFromTheNextByte) {
  for (const int partitions : {1, 5}) {
    for (const int64_t blocks : {1, 20}) {
      a_.Set({.read_breaks_after = blocks});
      const auto client = Both();
      const auto file =
          client->GetFile("a", {.version = "", .as_of = {}, .partitions = partitions});
      ASSERT_TRUE(file.ok()) << file.status();
      int64_t at = 0;
      while (true) {
        const auto block = file->blocks->Next();
        ASSERT_TRUE(block.ok()) << block.status();
        if (*block == nullptr) break;
        ASSERT_EQ(std::string_view(**block), FileBytes(at, at + (*block)->size())) << at;
        at += (*block)->size();
      }
      EXPECT_EQ(at, kFileBytes);
    }
  }
}

TEST_F(FailoverTest, AFileThatBrokeOffIsNotReadFromItsBeginning) {
  a_.Set({.read_breaks_after = 100});
  const auto client = Both();
  const auto file = client->GetFile("a");
  ASSERT_TRUE(file.ok()) << file.status();
  while (*file->blocks->Next() != nullptr) {
  }
  // The second of two parts.
  EXPECT_THAT(b_.calls(), ElementsAre("GetFlightInfo " + std::to_string(kFileBytes),
                                      "DoGet " + std::to_string(kFileBytes - 75 * kBlockBytes)));
}

TEST_F(FailoverTest, AnUploadBeginsAgainAtTheNextServer) {
  a_.Set({.put_breaks_after = 3});
  const auto table = *arrow::Table::FromRecordBatches({Numbers(0, 1'000'000)});
  const auto summary = Both()->Put("a", table, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->rows, 1'000'000);
  EXPECT_EQ(stored(), 1);
}

TEST_F(FailoverTest, AnUploadWhoseAnswerWasLostIsStoredOnce) {
  a_.Set({.put_loses_answer = true});
  const auto table = *arrow::Table::FromRecordBatches({Numbers(0, 1'000)});
  const auto summary = Both()->Put("a", table, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_FALSE(summary->repeated);
  EXPECT_EQ(stored(), 1);
  EXPECT_THAT(a_.calls(), ElementsAre("DoPut with an id"));
  EXPECT_THAT(b_.calls(), ElementsAre("DoPut with an id"));
}

TEST_F(FailoverTest, AFileHasAnUploadIdWhenItIsSentAgain) {
  a_.Set({.put_loses_answer = true});
  arrow::io::BufferReader file(arrow::Buffer::FromString("PAR1 and more"));
  const auto summary = Both()->PutFile("a", file, {});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_THAT(a_.calls(), ElementsAre("DoPut without an id"));
  EXPECT_THAT(b_.calls(), ElementsAre("DoPut with an id"));
}

TEST_F(FailoverTest, WithOneServerAnUploadHasNoIdAndIsNotRepeated) {
  a_.Set({.put_loses_answer = true});
  const auto table = *arrow::Table::FromRecordBatches({Numbers(0, 1'000)});
  EXPECT_EQ(ClientOf(a_.uri)->Put("a", table, {}).status().message(), "the answer was lost");
  EXPECT_THAT(a_.calls(), ElementsAre("DoPut without an id"));
}

TEST_F(FailoverTest, WhatCanBeReadOnceGoesToAnotherServerOnlyBeforeItIsRead) {
  const auto reader = *arrow::RecordBatchReader::Make({Numbers(0, 1'000)}, RowSchema());
  EXPECT_TRUE(ClientOf(std::string(kNobody) + "," + b_.uri)->Put("a", *reader, {}).ok());
  EXPECT_EQ(stored(), 1);
  a_.Set({.put_loses_answer = true});
  const auto again = *arrow::RecordBatchReader::Make({Numbers(0, 1'000)}, RowSchema());
  const auto status = Both()->Put("a", *again, {}).status();
  EXPECT_EQ(ErrorCode(status), "UNAVAILABLE");
  EXPECT_THAT(status.message(), HasSubstr("can be read only once"));
  EXPECT_EQ(b_.calls().size(), 1u);
}

TEST_F(FailoverTest, AnInputThatFailsIsNotTriedAgain) {
  int calls = 0;
  const BatchSource source = [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    ++calls;
    return arrow::Status::IOError("the file is cut short");
  };
  EXPECT_EQ(Both()->Put("a", source, {}).status().message(), "the file is cut short");
  EXPECT_EQ(calls, 1);
}

TEST_F(FailoverTest, AChangeGoesToAnotherServerWhenTheFirstGotNothingOfIt) {
  EXPECT_TRUE(ClientOf(std::string(kNobody) + "," + b_.uri)->Drop("a").ok());
  EXPECT_EQ(dropped(), 1);
}

TEST_F(FailoverTest, AChangeGoesToAnotherServerWhenTheFirstTurnsItAwayAsItStops) {
  a_.Set({.is_stopping = true});
  EXPECT_TRUE(Both()->Drop("a").ok());
  EXPECT_EQ(dropped(), 1);
}

TEST_F(FailoverTest, AChangeThatMayHaveBeenMadeIsNotRepeated) {
  a_.Set({.drop_loses_answer = true});
  const auto status = Both()->Drop("a");
  EXPECT_EQ(ErrorCode(status), "UNAVAILABLE");
  EXPECT_THAT(status.message(), HasSubstr("it is not known whether"));
  EXPECT_EQ(dropped(), 1);
  EXPECT_THAT(b_.calls(), IsEmpty());
}

}  // namespace
}  // namespace hangar::client
