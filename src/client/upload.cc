#include "client/upload.h"

#include <format>
#include <memory>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/flight/client.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "client/batch_slices.h"
#include "client/requests.h"

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
  arrow::Status Send(arrow::RecordBatchReader& batches, const ProgressFunction& on_progress) {
    PutProgress progress;
    while (true) {
      std::shared_ptr<arrow::RecordBatch> batch;
      arrow::Status status = batches.ReadNext(&batch);
      if (status.ok() && batch == nullptr) return arrow::Status::OK();
      if (status.ok()) status = Check(*batch);
      if (status.ok()) status = SendSlices(*batch, on_progress, &progress);
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

  arrow::Status SendSlices(const arrow::RecordBatch& batch, const ProgressFunction& on_progress,
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
    if (on_progress) on_progress(*progress);
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

// Notes whether anything was read of what another attempt would have to read again.
class WatchedReader final : public arrow::RecordBatchReader {
 public:
  explicit WatchedReader(std::shared_ptr<arrow::RecordBatchReader> batches)
      : batches_(std::move(batches)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    was_read_ = true;
    return batches_->ReadNext(out);
  }
  bool was_read() const { return was_read_; }

 private:
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  bool was_read_ = false;
};

// `of_server` is set to whether a failure is the server's, and not that of the batches.
arrow::Result<PutSummary> UploadOnce(Attempt& attempt, const flight::FlightDescriptor& descriptor,
                                     arrow::RecordBatchReader& batches,
                                     const ProgressFunction& on_progress, bool* of_server) {
  Connection& connection = *attempt.connection;
  const auto schema = batches.schema();
  *of_server = true;
  // Only the descriptor and the schema are sent in it, so it can be tried again.
  ARROW_ASSIGN_OR_RAISE(
      auto put,
      connection.Run([&](flight::FlightClient& client) { return client.DoPut(descriptor, schema); },
                     &attempt.not_begun));
  Uploading uploading(std::move(put), schema);
  const arrow::Status sent = uploading.Send(batches, on_progress);
  *of_server = sent.ok() || uploading.ended_by_server();
  if (!sent.ok()) return *of_server ? connection.Failure(sent) : sent;
  auto summary = uploading.Finish();
  if (!summary.ok()) return connection.Failure(summary.status());
  return summary;
}

}  // namespace

arrow::Result<PutSummary> Upload(Servers& servers, const UploadRequest& request) {
  Failover failover(&servers, Repeat::kAlways);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(Attempt attempt, failover.Next());
    const bool repeats = failover.attempts() > 1;
    const auto descriptor = request.descriptor(repeats ? request.repeat_id : request.upload_id);
    ARROW_ASSIGN_OR_RAISE(auto source, request.batches());
    WatchedReader batches(std::move(source));
    bool of_server = false;
    auto summary = UploadOnce(attempt, descriptor, batches, request.on_progress, &of_server);
    if (summary.ok()) {
      servers.NoteAnswer(attempt.connection->uri());
      // What an earlier attempt stored, without its answer having come.
      if (repeats && request.upload_id != request.repeat_id) summary->repeated = false;
      return summary;
    }
    if (!of_server) return summary;
    const arrow::Status& status = summary.status();
    if (!request.can_begin_again && batches.was_read() && servers.several() &&
        IsOfTheServer(status)) {
      servers.NoteFailure(attempt.connection->uri());
      return Error(KindOf(status),
                   "{}; what was to be stored can be read only once, so no other server was tried",
                   status.message());
    }
    if (!failover.GoesOn(attempt, status)) return failover.Failure(attempt, status);
  }
}

std::string MakeUploadId() {
  std::random_device random;
  std::string id = "auto-";
  for (int i = 0; i < 4; ++i) id += std::format("{:08x}", random());
  return id;
}

}  // namespace hangar::client
