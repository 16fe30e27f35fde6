#include "flight/receive_upload.h"

#include <memory>
#include <string_view>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/server.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "flight/command.h"
#include "flight/file_stream.h"
#include "text/json_object.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

arrow::Status MalformedStream(const Caller& caller, const arrow::Status& reason) {
  if (caller.is_cancelled()) {
    return MakeError(ErrorKind::kCancelled, "the upload was cancelled before it was complete");
  }
  // Flight decompresses what it reads; what it becomes may not fit.
  if (reason.IsOutOfMemory()) {
    return MakeError(
        ErrorKind::kResourceExhausted,
        "the server has no room for a batch of this size: send smaller batches, or try "
        "again later");
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "the upload's stream is malformed: after one schema only batches of that schema "
                   "may follow");
}

// A client's way to end an upload without a result. To end the stream means that it is complete,
// and Arrow's clients do that also when an exception takes their writer away.
arrow::Status CheckNotAborted(const arrow::Buffer* app_metadata) {
  if (app_metadata == nullptr) return arrow::Status::OK();
  auto object = JsonObject::Parse(std::string_view(*app_metadata), "a message's app_metadata");
  // What is not meant for us is anybody's own.
  if (!object.ok()) return arrow::Status::OK();
  const auto abort = object->TakeBool("abort");
  if (!abort.ok() || !abort->value_or(false)) return arrow::Status::OK();
  return MakeError(ErrorKind::kCancelled, "the upload was aborted by its client");
}

arrow::Result<std::shared_ptr<arrow::Schema>> ReceiveSchema(const Caller& caller,
                                                            flight::FlightMessageReader& reader) {
  auto schema = reader.GetSchema();
  if (schema.ok()) return schema;
  if (caller.is_cancelled() || schema.status().IsOutOfMemory()) {
    return MalformedStream(caller, schema.status());
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "the upload holds no schema: send a schema first, then any number of batches");
}

// Gives each batch to `append`. A client that dies half way ends the stream, too: the service asks
// again before it publishes.
template <typename Append>
arrow::Status ReceiveBatches(const Caller& caller, flight::FlightMessageReader& reader,
                             const Append& append) {
  for (;;) {
    auto chunk = reader.Next();
    if (!chunk.ok()) return MalformedStream(caller, chunk.status());
    if (chunk->data == nullptr && chunk->app_metadata == nullptr) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(CheckNotAborted(chunk->app_metadata.get()));
    if (chunk->data != nullptr) ARROW_RETURN_NOT_OK(append(chunk->data));
  }
}

arrow::Result<UploadResult> ReceiveFile(DatasetService& service, const Caller& caller,
                                        const UploadRequest& request,
                                        flight::FlightMessageReader& reader) {
  ARROW_ASSIGN_OR_RAISE(const auto schema, ReceiveSchema(caller, reader));
  ARROW_RETURN_NOT_OK(CheckFileStreamSchema(*schema));
  ARROW_ASSIGN_OR_RAISE(auto upload, service.BeginFileUpload(caller, request));
  ARROW_RETURN_NOT_OK(
      ReceiveBatches(caller, reader, [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
        return AppendFileBytes(*batch, *upload);
      }));
  return upload->Commit();
}

arrow::Result<UploadResult> ReceiveRows(DatasetService& service, const Caller& caller,
                                        const UploadRequest& request,
                                        flight::FlightMessageReader& reader) {
  ARROW_ASSIGN_OR_RAISE(auto schema, ReceiveSchema(caller, reader));
  ARROW_ASSIGN_OR_RAISE(auto upload, service.BeginUpload(caller, request, std::move(schema)));
  ARROW_RETURN_NOT_OK(ReceiveBatches(
      caller, reader,
      [&](const std::shared_ptr<arrow::RecordBatch>& batch) { return upload->Append(batch); }));
  return upload->Commit();
}

}  // namespace

arrow::Result<UploadResult> ReceiveUpload(DatasetService& service, const Caller& caller,
                                          flight::FlightMessageReader& reader) {
  ARROW_ASSIGN_OR_RAISE(const UploadCommand command, ParseUploadDescriptor(reader.descriptor()));
  if (command.format == DataFormat::kParquet) {
    return ReceiveFile(service, caller, command.upload, reader);
  }
  return ReceiveRows(service, caller, command.upload, reader);
}

}  // namespace hangar
