#include "http/row_reader.h"

#include <algorithm>
#include <utility>

#include <arrow/csv/options.h>
#include <arrow/csv/reader.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/reader.h>
#include <arrow/json/options.h>
#include <arrow/json/reader.h>
#include <arrow/record_batch.h>
#include <arrow/util/thread_pool.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

// The types are guessed from the first block, so it is a large one. Arrow reads up to 32 blocks
// ahead, so the others are smaller.
constexpr int32_t kFirstBlockBytes = 4 << 20;
constexpr int64_t kBlockBytes = 1 << 20;
constexpr size_t kReasonBytesMax = 300;

// Gives the first read all that it asks for, later ones no more than a block.
class TextBlockStream final : public arrow::io::InputStream {
 public:
  explicit TextBlockStream(std::shared_ptr<arrow::io::InputStream> in) : in_(std::move(in)) {}

  arrow::Status Close() override { return in_->Close(); }
  bool closed() const override { return in_->closed(); }
  arrow::Result<int64_t> Tell() const override { return in_->Tell(); }
  arrow::Result<int64_t> Read(int64_t length, void* out) override {
    return in_->Read(Cut(length), out);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t length) override {
    return in_->Read(Cut(length));
  }

 private:
  int64_t Cut(int64_t length) {
    return std::exchange(is_first_, false) ? length : std::min(length, kBlockBytes);
  }

  const std::shared_ptr<arrow::io::InputStream> in_;
  bool is_first_ = true;
};

// A reader's error as one about what was sent.
arrow::Status AboutBody(DatasetFormat format, const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status)) return status;
  if (status.IsOutOfMemory()) {
    return MakeError(ErrorKind::kResourceExhausted,
                     "the server has no room for a batch of this size: send smaller batches, or "
                     "try again later");
  }
  if (format == DatasetFormat::kArrowStream) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the body is no Arrow stream, or a damaged one; nothing was stored");
  }
  // What Arrow says of text names the place in it, and quotes it as it was sent.
  const std::string reason = status.message().substr(0, status.message().find('\n'));
  return Error(
      ErrorKind::kInvalidArgument, "the body cannot be read as {}, and nothing was stored: {}{}",
      format == DatasetFormat::kCsv ? "CSV" : "JSON lines",
      Escaped(reason.substr(0, kReasonBytesMax)), reason.size() > kReasonBytesMax ? "..." : "");
}

// A reader with what it needs, whose errors are about what was sent.
class BodyReader final : public arrow::RecordBatchReader {
 public:
  BodyReader(DatasetFormat format, std::shared_ptr<arrow::internal::ThreadPool> threads,
             std::shared_ptr<arrow::RecordBatchReader> batches)
      : format_(format), threads_(std::move(threads)), batches_(std::move(batches)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return AboutBody(format_, batches_->ReadNext(batch));
  }

 private:
  const DatasetFormat format_;
  const std::shared_ptr<arrow::internal::ThreadPool> threads_;  // Outlives what reads with it.
  const std::shared_ptr<arrow::RecordBatchReader> batches_;
};

using Batches = std::shared_ptr<arrow::RecordBatchReader>;

arrow::Result<Batches> OpenCsv(const arrow::io::IOContext& context,
                               std::shared_ptr<arrow::io::InputStream> stream,
                               const TextReadOptions& options) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = kFirstBlockBytes;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  convert.null_values = options.null_values;
  convert.null_values.emplace_back();
  convert.strings_can_be_null = true;
  convert.quoted_strings_can_be_null = false;
  return arrow::csv::StreamingReader::Make(context, std::move(stream), read, parse, convert);
}

arrow::Result<Batches> OpenJsonLines(const arrow::io::IOContext& context,
                                     std::shared_ptr<arrow::io::InputStream> stream) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.block_size = kFirstBlockBytes;
  return arrow::json::StreamingReader::Make(std::move(stream), read,
                                            arrow::json::ParseOptions::Defaults(), context);
}

}  // namespace

arrow::Result<Batches> OpenRowReader(DatasetFormat format,
                                     std::shared_ptr<arrow::io::InputStream> stream,
                                     const TextReadOptions& options) {
  if (format == DatasetFormat::kArrowStream) {
    auto opened = arrow::ipc::RecordBatchStreamReader::Open(std::move(stream));
    if (!opened.ok()) return AboutBody(format, opened.status());
    return std::make_shared<BodyReader>(format, nullptr, *std::move(opened));
  }
  // Not one of the threads that all of the process shares: whoever sends slowly would hold it.
  ARROW_ASSIGN_OR_RAISE(auto threads, arrow::internal::ThreadPool::Make(1));
  const arrow::io::IOContext context(arrow::default_memory_pool(), threads.get());
  auto blocks = std::make_shared<TextBlockStream>(std::move(stream));
  auto opened = format == DatasetFormat::kCsv ? OpenCsv(context, std::move(blocks), options)
                                              : OpenJsonLines(context, std::move(blocks));
  if (!opened.ok()) return AboutBody(format, opened.status());
  return std::make_shared<BodyReader>(format, std::move(threads), *std::move(opened));
}

}  // namespace hangar
