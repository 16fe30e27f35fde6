#include "read/scan_stream.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/text.h"
#include "read/batch_slicer.h"
#include "read/row_group_decoder.h"

namespace hangar {
namespace {

class ScanStream final : public arrow::RecordBatchReader {
 public:
  ScanStream(std::shared_ptr<arrow::Schema> schema, std::string dataset,
             std::unique_ptr<RowGroupDecoder> decoder, const ScanOptions& options,
             std::shared_ptr<Logger> logger)
      : schema_(std::move(schema)),
        dataset_(std::move(dataset)),
        options_(options),
        logger_(std::move(logger)),
        queue_(options.read_ahead_bytes),
        decoder_(std::move(decoder)),
        thread_([this] { DecodeAhead(); }) {}

  ~ScanStream() override {
    queue_.Close();  // Turns the decoding thread away at its next batch; the thread is then joined.
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    ARROW_RETURN_NOT_OK(ended_);
    auto item = queue_.Pop();
    if (!item) return arrow::Status::OK();
    ended_ = item->status();
    ARROW_RETURN_NOT_OK(ended_);
    *batch = *std::move(*item);
    return arrow::Status::OK();
  }

 private:
  using Item = arrow::Result<std::shared_ptr<arrow::RecordBatch>>;

  void DecodeAhead() {
    while (true) {
      auto decoded = decoder_->Next();
      if (!decoded.ok()) {
        queue_.Push(Item(ForClient(decoded.status())), 0);
        break;
      }
      if (*decoded == nullptr || !PushSlices(*std::move(decoded))) break;
    }
    queue_.Close();
    decoder_.reset();  // The file and the decoder's memory go before the last batch is taken.
  }

  // False when nobody wants more.
  bool PushSlices(std::shared_ptr<arrow::RecordBatch> batch) {
    const int64_t rows = std::max<int64_t>(batch->num_rows(), 1);
    const int64_t row_bytes = arrow::util::TotalBufferSize(*batch) / rows;
    BatchSlicer slicer(std::move(batch), options_.batch_bytes);
    while (auto slice = slicer.Next()) {
      const int64_t weight = slice->num_rows() * row_bytes;
      if (!queue_.Push(Item(std::move(slice)), weight)) return false;
    }
    return true;
  }

  arrow::Status ForClient(const arrow::Status& status) {
    logger_->Error("a read failed",
                   {{"dataset", dataset_}, {"reason", status.ToStringWithoutContextLines()}});
    if (HasErrorKind(status) || KindOf(status) != ErrorKind::kInternal) return status;
    return Error(ErrorKind::kDataLoss, "the stored file of {} is damaged and could not be read",
                 Quoted(dataset_));
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const std::string dataset_;
  const ScanOptions options_;
  const std::shared_ptr<Logger> logger_;
  BoundedQueue<Item> queue_;
  std::unique_ptr<RowGroupDecoder> decoder_;  // Of the decoding thread alone.
  arrow::Status ended_;  // Of the reading thread alone: the error it was given.
  std::jthread thread_;  // Last, so that it starts after and ends before all else.
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StartScan(OpenSnapshot snapshot,
                                                                   ScanPlan plan,
                                                                   const ScanOptions& options,
                                                                   std::shared_ptr<Logger> logger) {
  std::string dataset = snapshot.snapshot.object.key;
  auto schema = plan.schema;
  arrow::MemoryPool* pool = options.pool != nullptr ? options.pool : arrow::default_memory_pool();
  auto decoder =
      RowGroupDecoder::Make(std::move(snapshot), std::move(plan), options.decode_bytes, pool);
  if (!decoder.ok()) {
    logger->Error("a read failed", {{"dataset", dataset}, {"reason", decoder.status().ToString()}});
    if (HasErrorKind(decoder.status())) return decoder.status();
    return Error(ErrorKind::kDataLoss, "the stored file of {} is damaged and could not be read",
                 Quoted(dataset));
  }
  return std::make_shared<ScanStream>(std::move(schema), std::move(dataset), *std::move(decoder),
                                      options, std::move(logger));
}

}  // namespace hangar
