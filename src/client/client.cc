#include "client/client.h"

#include <utility>

#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "client/action_stream.h"
#include "client/batch_slices.h"
#include "client/connection.h"
#include "client/endpoint_reader.h"
#include "client/flight_error.h"
#include "client/listings.h"
#include "client/requests.h"
#include "client/version_requests.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

// Flight sends batches of this size fastest, and no other client or server refuses them.
constexpr int64_t kSendBytesMax = 1 << 20;

// A batch that every Arrow IPC reader refuses: it says it has a row, and its columns have none.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeUnreadableBatch(
    const std::shared_ptr<arrow::Schema>& schema) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : schema->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::MakeEmptyArray(field->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema, /*num_rows=*/1, std::move(columns));
}

// One upload. Flight offers no way to cancel a DoPut, and a writer that is closed or destroyed ends
// the stream as if all had been sent; so an upload that must not be published ends with a batch
// that the server cannot read.
class Uploading {
 public:
  Uploading(flight::FlightClient::DoPutResult put, std::shared_ptr<arrow::Schema> schema)
      : writer_(std::move(put.writer)),
        answers_(std::move(put.reader)),
        schema_(std::move(schema)) {}

  // Sends everything. After an error the call is over and nothing will be published.
  arrow::Status Send(arrow::RecordBatchReader& batches, const PutOptions& options) {
    PutProgress progress;
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      arrow::Status status = batches.ReadNext(&batch);
      if (status.ok() && batch == nullptr) return arrow::Status::OK();
      if (status.ok()) status = Check(*batch);
      if (status.ok()) status = SendSlices(*batch, options, &progress);
      if (status.ok()) continue;
      if (!ended_by_server_) Spoil();
      return status;
    }
  }

  // True after an error that the server, or the connection to it, answered with.
  bool ended_by_server() const { return ended_by_server_; }

  // Ends the stream and waits for what the server stored.
  arrow::Result<PutSummary> Finish() {
    std::shared_ptr<arrow::Buffer> answer;
    const arrow::Status done = writer_->DoneWriting();
    if (done.ok()) ARROW_RETURN_NOT_OK(answers_->ReadMetadata(&answer));
    ARROW_RETURN_NOT_OK(writer_->Close());
    ARROW_RETURN_NOT_OK(done);
    return ParsePutSummary(answer == nullptr ? std::string_view() : std::string_view(*answer));
  }

 private:
  arrow::Status Check(const arrow::RecordBatch& batch) const {
    if (!batch.schema()->Equals(*schema_, /*check_metadata=*/false)) {
      return MakeError(ErrorKind::kInvalidArgument,
                       "the batches to upload do not all have the same schema");
    }
    return batch.Validate();
  }

  arrow::Status SendSlices(const arrow::RecordBatch& batch, const PutOptions& options,
                           PutProgress* progress) {
    const int64_t rows = SliceRows(batch, kSendBytesMax);
    for (int64_t at = 0; at < batch.num_rows() || at == 0; at += rows) {
      const arrow::Status status = writer_->WriteRecordBatch(*batch.Slice(at, rows));
      if (!status.ok()) {
        // The transport adds this when the call has ended; a batch that cannot be written at all
        // leaves the call open.
        ended_by_server_ = status.message().find("gRPC client debug context") != std::string::npos;
        return status;
      }
    }
    progress->rows += batch.num_rows();
    progress->bytes = writer_->stats().total_serialized_body_size;
    if (options.on_progress) options.on_progress(*progress);
    return arrow::Status::OK();
  }

  void Spoil() {
    // The caller gets the error that led here; these only tell the server.
    const auto unreadable = MakeUnreadableBatch(schema_);
    arrow::Status ignored = unreadable.status();
    if (unreadable.ok()) ignored = writer_->WriteRecordBatch(**unreadable);
    ignored = writer_->Close();
  }

  const std::unique_ptr<flight::FlightStreamWriter> writer_;
  const std::unique_ptr<flight::FlightMetadataReader> answers_;
  const std::shared_ptr<arrow::Schema> schema_;
  bool ended_by_server_ = false;
};

arrow::Status CheckGetOptions(const GetOptions& options) {
  if (options.partitions < 1 || options.partitions > 64) {
    return Error(ErrorKind::kInvalidArgument, "partitions is {}, but 1 to 64 are possible",
                 options.partitions);
  }
  if (options.offset < 0 || options.limit.value_or(0) < 0) {
    return MakeError(ErrorKind::kInvalidArgument, "offset and limit cannot be negative");
  }
  return arrow::Status::OK();
}

}  // namespace

std::string_view ErrorCode(const arrow::Status& status) { return ErrorKindName(KindOf(status)); }

Client::Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;

arrow::Result<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto connection, Connection::Open(options.uri));
  return std::unique_ptr<Client>(new Client(std::move(connection)));
}

std::unique_ptr<DatasetListing> Client::List(const ListOptions& options) const {
  return MakeDatasetListing(connection_, options);
}

arrow::Result<DatasetInfo> Client::Describe(const std::string& name,
                                            const VersionChoice& choice) const {
  const auto descriptor = VersionDescriptor(name, choice);
  ARROW_ASSIGN_OR_RAISE(const auto info, connection_->Run([&](flight::FlightClient& client) {
    return client.GetFlightInfo(descriptor);
  }));
  return ParseFlightInfo(*info);
}

arrow::Result<std::shared_ptr<arrow::Schema>> Client::Schema(const std::string& name,
                                                             const VersionChoice& choice) const {
  const auto descriptor = VersionDescriptor(name, choice);
  ARROW_ASSIGN_OR_RAISE(const auto answer, connection_->Run([&](flight::FlightClient& client) {
    return client.GetSchema(descriptor);
  }));
  arrow::ipc::DictionaryMemo memo;
  return answer->GetSchema(&memo);
}

arrow::Result<PutSummary> Client::Put(const std::string& name, arrow::RecordBatchReader& batches,
                                      const PutOptions& options) const {
  const auto schema = batches.schema();
  const auto descriptor = PutDescriptor(name, options);
  // Only the descriptor and the schema are sent in it, so it can be tried again.
  ARROW_ASSIGN_OR_RAISE(auto put, connection_->Run([&](flight::FlightClient& client) {
    return client.DoPut(descriptor, schema);
  }));
  Uploading uploading(std::move(put), schema);
  const arrow::Status sent = uploading.Send(batches, options);
  if (!sent.ok()) return uploading.ended_by_server() ? FromFlight(sent, connection_->uri()) : sent;
  auto summary = uploading.Finish();
  if (!summary.ok()) return FromFlight(summary.status(), connection_->uri());
  return summary;
}

arrow::Result<DatasetStream> Client::Get(const std::string& name, const GetOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckGetOptions(options));
  const auto descriptor = GetDescriptor(name, options);
  ARROW_ASSIGN_OR_RAISE(const auto info, connection_->Run([&](flight::FlightClient& client) {
    return client.GetFlightInfo(descriptor);
  }));
  DatasetStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.info, ParseFlightInfo(*info));
  stream.batches = ReadEndpoints(info->endpoints(), stream.info.schema,
                                 {.uri = connection_->uri(),
                                  .client = connection_->client(),
                                  .connections = options.partitions});
  return stream;
}

arrow::Status Client::Drop(const std::string& name, const DropOptions& options) const {
  return RunAction(connection_, "drop_dataset", DropBody(name, options)).status();
}

arrow::Status Client::Rename(const std::string& from, const std::string& to,
                             const RenameOptions& options) const {
  return RunAction(connection_, "rename_dataset", RenameBody(from, to, options)).status();
}

arrow::Result<std::vector<VersionInfo>> Client::Versions(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto results,
                        ActionStream::Start(connection_, "list_versions", DatasetBody(name)));
  std::vector<VersionInfo> versions;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto result, results->Next());
    if (!result) return versions;
    ARROW_ASSIGN_OR_RAISE(VersionInfo version, ParseVersionInfo(*result));
    versions.push_back(std::move(version));
  }
}

arrow::Result<DatasetVersion> Client::Restore(const std::string& name,
                                              const RestoreOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const std::string result,
                        RunAction(connection_, "restore_dataset", RestoreBody(name, options)));
  return ParseDatasetVersion(result);
}

arrow::Result<DatasetVersion> Client::Undrop(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const std::string result,
                        RunAction(connection_, "undrop_dataset", DatasetBody(name)));
  return ParseDatasetVersion(result);
}

std::unique_ptr<TrashListing> Client::Trash(const ListOptions& options) const {
  return MakeTrashListing(connection_, options);
}

arrow::Result<PurgeSummary> Client::PurgeVersions(const std::string& name,
                                                  const std::string& version) const {
  ARROW_ASSIGN_OR_RAISE(const std::string result,
                        RunAction(connection_, "purge_versions", PurgeBody(name, version)));
  return ParsePurgeSummary(result);
}

arrow::Result<HistoryStatus> Client::History() const {
  ARROW_ASSIGN_OR_RAISE(const std::string result, RunAction(connection_, "history_status", ""));
  return ParseHistoryStatus(result);
}

std::unique_ptr<CheckListing> Client::Check(const std::string& name) const {
  return MakeCheckListing(connection_, name);
}

arrow::Result<std::vector<ActionInfo>> Client::Actions() const {
  ARROW_ASSIGN_OR_RAISE(const auto types, connection_->Run([](flight::FlightClient& client) {
    return client.ListActions();
  }));
  std::vector<ActionInfo> actions;
  for (const auto& type : types) actions.push_back({type.type, type.description});
  return actions;
}

}  // namespace hangar::client
