#include "http/put_rows.h"

#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <arrow/record_batch.h>

#include "base/error.h"
#include "http/body_pipe.h"
#include "http/row_reader.h"

namespace hangar {
namespace {

// Reads all rows, stores them, and does not do so before the body is over.
arrow::Result<UploadResult> StoreRows(DatasetService& service, const Caller& caller,
                                      DatasetFormat format, const TextReadOptions& options,
                                      const UploadRequest& request,
                                      const std::shared_ptr<BodyPipe>& pipe) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, OpenRowReader(format, pipe, options));
  ARROW_ASSIGN_OR_RAISE(auto upload, service.BeginUpload(caller, request, reader->schema()));
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(upload->Append(batch));
  }
  char more = 0;
  ARROW_ASSIGN_OR_RAISE(const int64_t left, pipe->Read(1, &more));
  if (left > 0) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the body goes on after its Arrow stream has ended; nothing was stored");
  }
  return upload->Commit();
}

class RowsReceiver final : public HttpBodyReceiver {
 public:
  RowsReceiver(std::shared_ptr<DatasetService> service, const Caller& caller, DatasetFormat format,
               TextReadOptions options, const UploadRequest& request, UploadAnswer answer)
      : answer_(std::move(answer)),
        worker_([this, service = std::move(service), caller, format, options = std::move(options),
                 request] {
          result_ = StoreRows(*service, caller, format, options, request, pipe_);
          static_cast<void>(pipe_->Close());
        }) {}

  ~RowsReceiver() override {
    pipe_->BreakOff();
    if (worker_.joinable()) worker_.join();
  }

  arrow::Status Receive(std::string_view bytes) override {
    if (pipe_->Write(bytes)) return arrow::Status::OK();
    worker_.join();
    return result_.status();
  }

  arrow::Result<HttpResponse> Finish() override {
    pipe_->Finish();
    worker_.join();
    ARROW_ASSIGN_OR_RAISE(const UploadResult result, result_);
    return answer_.Make(result);
  }

 private:
  const UploadAnswer answer_;
  const std::shared_ptr<BodyPipe> pipe_ = std::make_shared<BodyPipe>();
  arrow::Result<UploadResult> result_ = CallerIsGone();  // The worker's, until it is joined.
  std::thread worker_;                                   // Last, as it uses the others.
};

}  // namespace

arrow::Result<std::unique_ptr<HttpBodyReceiver>> ReceiveRows(const HttpContext& context,
                                                             const HttpRequest& request,
                                                             DatasetFormat format,
                                                             const UploadRequest& upload,
                                                             UploadAnswer answer) {
  TextReadOptions options;
  for (const auto& [key, value] : request.query) {
    if (key == "null") options.null_values.push_back(value);
  }
  if (!options.null_values.empty() && format != DatasetFormat::kCsv) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the query's 'null' says which texts of a CSV stand for no value; this body "
                     "is none");
  }
  try {
    return std::make_unique<RowsReceiver>(context.service, request.caller, format,
                                          std::move(options), upload, std::move(answer));
  } catch (const std::system_error&) {
    return MakeError(ErrorKind::kResourceExhausted,
                     "the server has no thread left for this; try again later");
  }
}

}  // namespace hangar
