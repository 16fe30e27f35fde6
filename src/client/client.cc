#include "client/client.h"

#include <utility>

#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

#include "base/error.h"
#include "client/action_stream.h"
#include "client/endpoint_reader.h"
#include "client/file_blocks.h"
#include "client/listings.h"
#include "client/requests.h"
#include "client/servers.h"
#include "client/stream_content.h"
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

// An answer, and who gave it.
struct FoundInfo {
  std::unique_ptr<flight::FlightInfo> info;
  std::shared_ptr<Connection> connection;
};

arrow::Result<FoundInfo> FindInfo(Servers& servers, const flight::FlightDescriptor& descriptor) {
  return servers.Run(Repeat::kAlways, [&](Attempt& attempt) -> arrow::Result<FoundInfo> {
    ARROW_ASSIGN_OR_RAISE(auto info, attempt.connection->Run(
                                         [&](flight::FlightClient& client) {
                                           return client.GetFlightInfo(descriptor);
                                         },
                                         &attempt.not_begun));
    return FoundInfo{.info = std::move(info), .connection = attempt.connection};
  });
}

// What does not belong to the pointer, and so has to outlive it.
template <typename T>
std::shared_ptr<T> NotOwned(T& object) {
  return std::shared_ptr<T>(std::shared_ptr<T>(), &object);
}

arrow::Result<PutSummary> UploadRows(Servers& servers, const std::string& name, BatchSource batches,
                                     bool can_begin_again, const PutOptions& options) {
  const bool repeats = servers.several() && can_begin_again && options.upload_id.empty();
  const std::string id = repeats ? MakeUploadId() : options.upload_id;
  auto summary = Upload(servers, {.descriptor =
                                      [&](const std::string& upload_id) {
                                        PutOptions with_id = options;
                                        with_id.upload_id = upload_id;
                                        return PutDescriptor(name, with_id);
                                      },
                                  .upload_id = id,
                                  .repeat_id = id,
                                  .batches = std::move(batches),
                                  .can_begin_again = can_begin_again,
                                  .on_progress = options.on_progress});
  // Nobody knows this id but the client itself.
  if (summary.ok() && repeats) summary->repeated = false;
  return summary;
}

arrow::Result<PutSummary> UploadFile(Servers& servers, const std::string& name, BatchSource blocks,
                                     bool can_begin_again, const PutFileOptions& options) {
  // A server compares files that come with an id, whatever it is, so the first attempt has none
  // that was not asked for: a file that is there already is one that the caller did not put.
  const std::string repeat_id = options.upload_id.empty() ? MakeUploadId() : options.upload_id;
  const auto summary = Upload(servers, {.descriptor =
                                            [&](const std::string& upload_id) {
                                              PutFileOptions with_id = options;
                                              with_id.upload_id = upload_id;
                                              return PutFileDescriptor(name, with_id);
                                            },
                                        .upload_id = options.upload_id,
                                        .repeat_id = repeat_id,
                                        .batches = std::move(blocks),
                                        .can_begin_again = can_begin_again,
                                        .on_progress =
                                            [&](const PutProgress& progress) {
                                              if (options.on_progress)
                                                options.on_progress(progress.bytes);
                                            }});
  if (!summary.ok()) return FormatFailure(summary.status());
  return summary;
}

}  // namespace

std::string_view ErrorCode(const arrow::Status& status) { return ErrorKindName(KindOf(status)); }

Client::Client(std::shared_ptr<Servers> servers) : servers_(std::move(servers)) {}
Client::~Client() = default;

arrow::Result<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto servers, Servers::Open(options));
  return std::unique_ptr<Client>(new Client(std::move(servers)));
}

arrow::Result<std::string> Client::LogIn() const {
  return servers_->Run(Repeat::kAlways, [&](Attempt& attempt) -> arrow::Result<std::string> {
    const std::string& uri = attempt.connection->uri();
    ARROW_RETURN_NOT_OK(servers_->session()->LogIn(uri));
    return servers_->session()->token(uri);
  });
}

std::unique_ptr<DatasetListing> Client::List(const ListOptions& options) const {
  return MakeDatasetListing(servers_, options);
}

arrow::Result<DatasetInfo> Client::Describe(const std::string& name,
                                            const VersionChoice& choice) const {
  const auto descriptor = VersionDescriptor(name, choice);
  ARROW_ASSIGN_OR_RAISE(const auto info, servers_->Ask([&](flight::FlightClient& client) {
    return client.GetFlightInfo(descriptor);
  }));
  return ParseFlightInfo(*info);
}

arrow::Result<std::shared_ptr<arrow::Schema>> Client::Schema(const std::string& name,
                                                             const VersionChoice& choice) const {
  const auto descriptor = VersionDescriptor(name, choice);
  ARROW_ASSIGN_OR_RAISE(const auto answer, servers_->Ask([&](flight::FlightClient& client) {
    return client.GetSchema(descriptor);
  }));
  arrow::ipc::DictionaryMemo memo;
  return answer->GetSchema(&memo);
}

arrow::Result<PutSummary> Client::Put(const std::string& name, arrow::RecordBatchReader& batches,
                                      const PutOptions& options) const {
  return UploadRows(
      *servers_, name, [&] { return NotOwned(batches); }, /*can_begin_again=*/false, options);
}

arrow::Result<PutSummary> Client::Put(const std::string& name, const BatchSource& batches,
                                      const PutOptions& options) const {
  return UploadRows(*servers_, name, batches, /*can_begin_again=*/true, options);
}

arrow::Result<PutSummary> Client::Put(const std::string& name, std::shared_ptr<arrow::Table> table,
                                      const PutOptions& options) const {
  return Put(name, [&] { return std::make_shared<arrow::TableBatchReader>(table); }, options);
}

arrow::Result<PutSummary> Client::PutFile(const std::string& name, arrow::io::InputStream& file,
                                          const PutFileOptions& options) const {
  auto* const seekable = dynamic_cast<arrow::io::Seekable*>(&file);
  int64_t begin = 0;
  if (seekable != nullptr) {
    ARROW_ASSIGN_OR_RAISE(begin, file.Tell());
  }
  const auto blocks = [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    if (seekable != nullptr) ARROW_RETURN_NOT_OK(seekable->Seek(begin));
    return ReadBlocks(NotOwned(file));
  };
  return UploadFile(*servers_, name, blocks, /*can_begin_again=*/seekable != nullptr, options);
}

arrow::Result<PutSummary> Client::PutFile(const std::string& name, const FileSource& file,
                                          const PutFileOptions& options) const {
  const auto blocks = [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> {
    ARROW_ASSIGN_OR_RAISE(auto opened, file());
    return ReadBlocks(std::move(opened));
  };
  return UploadFile(*servers_, name, blocks, /*can_begin_again=*/true, options);
}

arrow::Result<FileStream> Client::GetFile(const std::string& name,
                                          const GetFileOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckPartitions(options.partitions));
  const auto found = FindInfo(*servers_, GetFileDescriptor(name, options));
  if (!found.ok()) return FormatFailure(found.status());
  FileStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.info, ParseFlightInfo(*found->info));
  const auto schema = std::exchange(stream.info.schema, nullptr);  // Of the blocks,
  stream.info.rows = -1;                                           // which this counts.
  ARROW_RETURN_NOT_OK(CheckIsBlocks(*schema));
  auto batches = ReadEndpoints(found->info->endpoints(), schema,
                               {.servers = servers_,
                                .connection = found->connection,
                                .content = MakeFileContent(stream.info),
                                .connections = options.partitions});
  stream.blocks = MakeFileBlocks(std::move(batches), stream.info.bytes);
  return stream;
}

arrow::Result<DatasetStream> Client::Get(const std::string& name, const GetOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckGetOptions(options));
  ARROW_ASSIGN_OR_RAISE(const FoundInfo found, FindInfo(*servers_, GetDescriptor(name, options)));
  DatasetStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.info, ParseFlightInfo(*found.info));
  stream.batches = ReadEndpoints(found.info->endpoints(), stream.info.schema,
                                 {.servers = servers_,
                                  .connection = found.connection,
                                  .content = MakeRowContent(stream.info, options),
                                  .connections = options.partitions});
  return stream;
}

arrow::Status Client::Drop(const std::string& name, const DropOptions& options) const {
  return RunShortAction(*servers_, Repeat::kIfNotBegun, "drop_dataset", DropBody(name, options))
      .status();
}

arrow::Status Client::Rename(const std::string& from, const std::string& to,
                             const RenameOptions& options) const {
  return RunShortAction(*servers_, Repeat::kIfNotBegun, "rename_dataset",
                        RenameBody(from, to, options))
      .status();
}

arrow::Result<std::vector<VersionInfo>> Client::Versions(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto results,
                        RunAction(*servers_, Repeat::kAlways, "list_versions", DatasetBody(name)));
  std::vector<VersionInfo> versions;
  for (const std::string& result : results) {
    ARROW_ASSIGN_OR_RAISE(VersionInfo version, ParseVersionInfo(result));
    versions.push_back(std::move(version));
  }
  return versions;
}

arrow::Result<DatasetVersion> Client::Restore(const std::string& name,
                                              const RestoreOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(const std::string result,
                        RunShortAction(*servers_, Repeat::kIfNotBegun, "restore_dataset",
                                       RestoreBody(name, options)));
  return ParseDatasetVersion(result);
}

arrow::Result<DatasetVersion> Client::Undrop(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(
      const std::string result,
      RunShortAction(*servers_, Repeat::kIfNotBegun, "undrop_dataset", DatasetBody(name)));
  return ParseDatasetVersion(result);
}

std::unique_ptr<TrashListing> Client::Trash(const ListOptions& options) const {
  return MakeTrashListing(servers_, options);
}

arrow::Result<PurgeSummary> Client::PurgeVersions(const std::string& name,
                                                  const std::string& version) const {
  ARROW_ASSIGN_OR_RAISE(
      const std::string result,
      RunShortAction(*servers_, Repeat::kIfNotBegun, "purge_versions", PurgeBody(name, version)));
  return ParsePurgeSummary(result);
}

arrow::Result<HistoryStatus> Client::History() const {
  ARROW_ASSIGN_OR_RAISE(const std::string result,
                        RunShortAction(*servers_, Repeat::kAlways, "history_status", ""));
  return ParseHistoryStatus(result);
}

std::unique_ptr<CheckListing> Client::Check(const std::string& name) const {
  return MakeCheckListing(servers_, name);
}

arrow::Result<std::vector<ActionInfo>> Client::Actions() const {
  ARROW_ASSIGN_OR_RAISE(const auto types, servers_->Ask([](flight::FlightClient& client) {
    return client.ListActions();
  }));
  std::vector<ActionInfo> actions;
  for (const auto& type : types) actions.push_back({type.type, type.description});
  return actions;
}

}  // namespace hangar::client
