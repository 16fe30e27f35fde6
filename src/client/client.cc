#include "client/client.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/flight/client.h>
#include <arrow/flight/types.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "base/text.h"
#include "client/batch_slices.h"
#include "client/endpoint_reader.h"
#include "client/flight_error.h"
#include "client/requests.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

// Flight's own client gathers a whole ListFlights answer, so a listing asks for pages of this size.
constexpr int64_t kListPage = 1000;
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

}  // namespace

struct Client::Impl {
  std::string uri;
  std::shared_ptr<flight::FlightClient> connection;

  arrow::Status Clean(const arrow::Status& status) const { return FromFlight(status, uri); }

  arrow::Result<std::unique_ptr<flight::FlightInfo>> GetFlightInfo(
      const flight::FlightDescriptor& descriptor) const {
    auto info = connection->GetFlightInfo(descriptor);
    if (!info.ok()) return Clean(info.status());
    return info;
  }

  // Runs an action whose results do not matter, to its end.
  arrow::Status Act(const std::string& name, std::string body) const {
    const flight::Action action(name, arrow::Buffer::FromString(std::move(body)));
    auto results = connection->DoAction(action);
    if (!results.ok()) return Clean(results.status());
    while (true) {
      auto result = (*results)->Next();
      if (!result.ok()) return Clean(result.status());
      if (*result == nullptr) return arrow::Status::OK();
    }
  }
};

namespace {

class PagedListing final : public DatasetListing {
 public:
  PagedListing(std::string uri, std::shared_ptr<flight::FlightClient> connection,
               ListOptions options)
      : uri_(std::move(uri)), connection_(std::move(connection)), options_(std::move(options)) {
    after_ = options_.after;
    remaining_ = options_.limit;
  }

  arrow::Result<std::optional<DatasetInfo>> Next() override {
    if (page_.empty() && !ended_) {
      const arrow::Status status = FetchPage();
      if (!status.ok()) return FromFlight(status, uri_);
    }
    if (page_.empty()) return std::nullopt;
    std::optional<DatasetInfo> next = std::move(page_.front());
    page_.pop_front();
    return next;
  }

 private:
  arrow::Status FetchPage() {
    const int64_t limit = std::min(kListPage, remaining_.value_or(kListPage));
    if (limit <= 0) {
      ended_ = true;
      return arrow::Status::OK();
    }
    const flight::Criteria criteria(ListCriteria(options_, after_, limit));
    ARROW_ASSIGN_OR_RAISE(const auto listing, connection_->ListFlights({}, criteria));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto info, listing->Next());
      if (info == nullptr) break;
      ARROW_ASSIGN_OR_RAISE(DatasetInfo dataset, ParseFlightInfo(*info));
      page_.push_back(std::move(dataset));
    }
    const auto count = static_cast<int64_t>(page_.size());
    if (remaining_) *remaining_ -= count;
    // A server that does not know the limit has sent everything at once.
    ended_ = count != limit;
    if (!page_.empty()) after_ = page_.back().name;
    return arrow::Status::OK();
  }

  const std::string uri_;
  const std::shared_ptr<flight::FlightClient> connection_;
  const ListOptions options_;
  std::string after_;
  std::optional<int64_t> remaining_;
  std::deque<DatasetInfo> page_;
  bool ended_ = false;
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

Client::Client(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

arrow::Result<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  auto impl = std::make_shared<Impl>();
  impl->uri = options.uri;
  const auto location = flight::Location::Parse(options.uri);
  auto connection = location.ok()
                        ? flight::FlightClient::Connect(*location)
                        : arrow::Result<std::unique_ptr<flight::FlightClient>>(location.status());
  if (!connection.ok()) {
    return Error(ErrorKind::kInvalidArgument,
                 "{} is not the address of a server: grpc://HOST:PORT or grpc+unix:///PATH is one",
                 Quoted(options.uri));
  }
  impl->connection = *std::move(connection);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

std::unique_ptr<DatasetListing> Client::List(const ListOptions& options) const {
  return std::make_unique<PagedListing>(impl_->uri, impl_->connection, options);
}

arrow::Result<DatasetInfo> Client::Describe(const std::string& name) const {
  ARROW_ASSIGN_OR_RAISE(const auto info,
                        impl_->GetFlightInfo(flight::FlightDescriptor::Path({name})));
  return ParseFlightInfo(*info);
}

arrow::Result<std::shared_ptr<arrow::Schema>> Client::Schema(const std::string& name) const {
  const auto answer = impl_->connection->GetSchema(flight::FlightDescriptor::Path({name}));
  if (!answer.ok()) return impl_->Clean(answer.status());
  arrow::ipc::DictionaryMemo memo;
  return (*answer)->GetSchema(&memo);
}

arrow::Result<PutSummary> Client::Put(const std::string& name, arrow::RecordBatchReader& batches,
                                      const PutOptions& options) const {
  const auto schema = batches.schema();
  auto put = impl_->connection->DoPut(PutDescriptor(name, options), schema);
  if (!put.ok()) return impl_->Clean(put.status());
  Uploading uploading(*std::move(put), schema);
  const arrow::Status sent = uploading.Send(batches, options);
  if (!sent.ok()) return uploading.ended_by_server() ? impl_->Clean(sent) : sent;
  auto summary = uploading.Finish();
  if (!summary.ok()) return impl_->Clean(summary.status());
  return summary;
}

arrow::Result<DatasetStream> Client::Get(const std::string& name, const GetOptions& options) const {
  ARROW_RETURN_NOT_OK(CheckGetOptions(options));
  ARROW_ASSIGN_OR_RAISE(const auto info, impl_->GetFlightInfo(GetDescriptor(name, options)));
  DatasetStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.info, ParseFlightInfo(*info));
  stream.batches = ReadEndpoints(
      info->endpoints(), stream.info.schema,
      {.uri = impl_->uri, .client = impl_->connection, .connections = options.partitions});
  return stream;
}

arrow::Status Client::Drop(const std::string& name) const {
  return impl_->Act("drop_dataset", name);
}

arrow::Status Client::Rename(const std::string& from, const std::string& to,
                             const RenameOptions& options) const {
  return impl_->Act("rename_dataset", RenameBody(from, to, options));
}

arrow::Result<std::vector<ActionInfo>> Client::Actions() const {
  const auto types = impl_->connection->ListActions();
  if (!types.ok()) return impl_->Clean(types.status());
  std::vector<ActionInfo> actions;
  for (const auto& type : *types) actions.push_back({type.type, type.description});
  return actions;
}

}  // namespace hangar::client
