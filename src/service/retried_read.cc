#include "service/retried_read.h"

#include <utility>

#include <arrow/type.h>

#include "base/error.h"

namespace hangar {
namespace {

using Begin = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>()>;

class RetriedRead final : public arrow::RecordBatchReader {
 public:
  RetriedRead(std::shared_ptr<arrow::RecordBatchReader> stream, Begin begin)
      : schema_(stream->schema()), stream_(std::move(stream)), begin_(std::move(begin)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(gone_);
    auto status = stream_->ReadNext(batch);
    const Begin begin = std::exchange(begin_, nullptr);
    if (begin == nullptr || KindOf(status) != ErrorKind::kNotFound) return status;
    gone_ = std::move(status);
    stream_ = nullptr;  // With the memory that it was promised.
    auto again = begin();
    // The caller was told the schema already.
    if (!again.ok() || !(*again)->schema()->Equals(*schema_, /*check_metadata=*/true)) return gone_;
    stream_ = *std::move(again);
    gone_ = arrow::Status::OK();
    return stream_->ReadNext(batch);
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatchReader> stream_;
  Begin begin_;         // Empty once something was given.
  arrow::Status gone_;  // OK: there is a stream.
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> BeginRetriedRead(Begin begin) {
  ARROW_ASSIGN_OR_RAISE(auto stream, begin());
  return std::make_shared<RetriedRead>(std::move(stream), std::move(begin));
}

}  // namespace hangar
