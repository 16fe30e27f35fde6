#include "client/client.h"

#include <utility>

#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "client/action_stream.h"
#include "client/connection.h"
#include "client/endpoint_reader.h"
#include "client/file_blocks.h"
#include "client/listings.h"
#include "client/requests.h"
#include "client/upload.h"
#include "client/version_requests.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

arrow::Status CheckPartitions(int partitions) {
  if (partitions >= 1 && partitions <= 64) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument, "partitions is {}, but 1 to 64 are possible",
               partitions);
}

arrow::Status CheckGetOptions(const GetOptions& options) {
  ARROW_RETURN_NOT_OK(CheckPartitions(options.partitions));
  if (options.offset < 0 || options.limit.value_or(0) < 0) {
    return MakeError(ErrorKind::kInvalidArgument, "offset and limit cannot be negative");
  }
  return arrow::Status::OK();
}

EndpointReaderOptions EndpointOptions(const Connection& connection, int connections) {
  return {
      .uri = connection.uri(),
      .client = connection.client(),
      .connect = [session = connection.session()](const std::string& uri)
          -> arrow::Result<std::shared_ptr<flight::FlightClient>> { return session->Connect(uri); },
      .connections = connections};
}

}  // namespace

std::string_view ErrorCode(const arrow::Status& status) { return ErrorKindName(KindOf(status)); }

Client::Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
Client::~Client() = default;

arrow::Result<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto connection, Connection::Open(options));
  return std::unique_ptr<Client>(new Client(std::move(connection)));
}

arrow::Result<std::string> Client::LogIn() const {
  ARROW_RETURN_NOT_OK(connection_->session()->LogIn());
  return connection_->session()->token();
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
  return Upload(*connection_, PutDescriptor(name, options), batches, options.on_progress);
}

arrow::Result<PutSummary> Client::PutFile(const std::string& name, arrow::io::InputStream& file,
                                          const PutFileOptions& options) const {
  const auto blocks = ReadBlocks(file);
  const auto summary = Upload(*connection_, PutFileDescriptor(name, options), *blocks,
                              [&](const PutProgress& progress) {
                                if (options.on_progress) options.on_progress(progress.bytes);
                              });
  if (!summary.ok()) return FormatFailure(summary.status());
  return summary;
}

arrow::Result<FileStream> Client::GetFile(const std::string& name,
                                          const GetFileOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckPartitions(options.partitions));
  const auto descriptor = GetFileDescriptor(name, options);
  const auto info = connection_->Run(
      [&](flight::FlightClient& client) { return client.GetFlightInfo(descriptor); });
  if (!info.ok()) return FormatFailure(info.status());
  FileStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.info, ParseFlightInfo(**info));
  const auto schema = std::exchange(stream.info.schema, nullptr);  // Of the blocks,
  stream.info.rows = -1;                                           // which this counts.
  ARROW_RETURN_NOT_OK(CheckIsBlocks(*schema));
  auto batches = ReadEndpoints((*info)->endpoints(), schema,
                               EndpointOptions(*connection_, options.partitions));
  stream.blocks = MakeFileBlocks(std::move(batches), stream.info.bytes);
  return stream;
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
                                 EndpointOptions(*connection_, options.partitions));
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
