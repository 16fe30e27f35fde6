#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include "base/error.h"
#include "http/get_dataset.h"
#include "http/problem.h"
#include "http/stream_place.h"
#include "text/row_text.h"

namespace hangar {
namespace {

constexpr size_t kTextBytes = 256 << 10;

// Turns batches into bytes, some at a time.
class RowEncoder {
 public:
  virtual ~RowEncoder() = default;
  virtual arrow::Status Begin(std::string* out) = 0;
  virtual arrow::Status SetBatch(std::shared_ptr<arrow::RecordBatch> batch) = 0;
  /// Appends more of the batch; false when there is no more of it.
  virtual arrow::Result<bool> AppendSome(std::string* out) = 0;
  virtual arrow::Status End(std::string* out) = 0;
};

class TextEncoder final : public RowEncoder {
 public:
  explicit TextEncoder(std::unique_ptr<RowText> lines) : lines_(std::move(lines)) {}

  arrow::Status Begin(std::string* out) override {
    lines_->AppendHeader(out);
    return arrow::Status::OK();
  }

  arrow::Status SetBatch(std::shared_ptr<arrow::RecordBatch> batch) override {
    batch_ = std::move(batch);
    row_ = 0;
    return lines_->SetBatch(batch_);
  }

  arrow::Result<bool> AppendSome(std::string* out) override {
    if (batch_ == nullptr || row_ == batch_->num_rows()) return false;
    while (row_ < batch_->num_rows() && out->size() < kTextBytes) lines_->AppendRow(row_++, out);
    return true;
  }

  arrow::Status End(std::string*) override { return arrow::Status::OK(); }

 private:
  const std::unique_ptr<RowText> lines_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t row_ = 0;
};

// A stream of Arrow's that gathers what is written in a string.
class StringSink final : public arrow::io::OutputStream {
 public:
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* bytes, int64_t length) override {
    text_.append(static_cast<const char*>(bytes), static_cast<size_t>(length));
    position_ += length;
    return arrow::Status::OK();
  }
  std::string Take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
  int64_t position_ = 0;
};

class ArrowStreamEncoder final : public RowEncoder {
 public:
  explicit ArrowStreamEncoder(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

  arrow::Status Begin(std::string* out) override {
    ARROW_ASSIGN_OR_RAISE(writer_, arrow::ipc::MakeStreamWriter(sink_, schema_));
    *out += sink_->Take();
    return arrow::Status::OK();
  }

  arrow::Status SetBatch(std::shared_ptr<arrow::RecordBatch> batch) override {
    batch_ = std::move(batch);
    return arrow::Status::OK();
  }

  arrow::Result<bool> AppendSome(std::string* out) override {
    if (batch_ == nullptr) return false;
    ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(*std::exchange(batch_, nullptr)));
    *out += sink_->Take();
    return true;
  }

  arrow::Status End(std::string* out) override {
    ARROW_RETURN_NOT_OK(writer_->Close());
    *out += sink_->Take();
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<StringSink> sink_ = std::make_shared<StringSink>();
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  std::shared_ptr<arrow::RecordBatch> batch_;
};

// The rows of a read as bytes, made as they are sent.
class RowsSource final : public HttpBodySource {
 public:
  RowsSource(std::shared_ptr<arrow::RecordBatchReader> batches, std::unique_ptr<RowEncoder> encoder)
      : batches_(std::move(batches)), encoder_(std::move(encoder)) {}

  std::optional<int64_t> size_bytes() const override { return std::nullopt; }

  arrow::Result<int64_t> Read(int64_t length, char* out) override {
    while (sent_ == bytes_.size() && !is_over_) ARROW_RETURN_NOT_OK(Fill());
    const size_t count = std::min(static_cast<size_t>(length), bytes_.size() - sent_);
    std::memcpy(out, bytes_.data() + sent_, count);
    sent_ += count;
    return static_cast<int64_t>(count);
  }

  /// Makes the first bytes, so that what fails at once fails before the answer began.
  arrow::Status Begin() {
    ARROW_RETURN_NOT_OK(encoder_->Begin(&bytes_));
    return NextBatch();
  }

 private:
  arrow::Status NextBatch() {
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
    if (batch != nullptr) return encoder_->SetBatch(std::move(batch));
    is_over_ = true;
    return encoder_->End(&bytes_);
  }

  arrow::Status Fill() {
    bytes_.clear();
    sent_ = 0;
    ARROW_ASSIGN_OR_RAISE(const bool is_more, encoder_->AppendSome(&bytes_));
    return is_more ? arrow::Status::OK() : NextBatch();
  }

  const std::shared_ptr<arrow::RecordBatchReader> batches_;
  const std::unique_ptr<RowEncoder> encoder_;
  std::string bytes_;
  size_t sent_ = 0;
  bool is_over_ = false;
};

std::unique_ptr<RowEncoder> MakeEncoder(DatasetFormat format,
                                        const std::shared_ptr<arrow::Schema>& schema) {
  if (format == DatasetFormat::kJsonLines) {
    return std::make_unique<TextEncoder>(MakeJsonLinesText(*schema));
  }
  if (format == DatasetFormat::kCsv)
    return std::make_unique<TextEncoder>(MakeCsvText(*schema, ','));
  return std::make_unique<ArrowStreamEncoder>(schema);
}

// Columns stand in one parameter, separated by commas, or in several; a comma within a name is
// written "\,", and a backslash "\\".
arrow::Result<std::vector<std::string>> ParseColumns(std::string_view text) {
  std::vector<std::string> columns(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      columns.emplace_back();
    } else if (text[i] != '\\') {
      columns.back() += text[i];
    } else if (i + 1 < text.size()) {
      columns.back() += text[++i];
    } else {
      return MakeError(ErrorKind::kInvalidArgument,
                       "the query's 'columns' ends with a backslash, which takes the character "
                       "that follows for part of a name");
    }
  }
  return columns;
}

arrow::Result<ReadRequest> ReadRequestOf(const HttpRequest& request) {
  ARROW_ASSIGN_OR_RAISE(QueriedVersion queried, VersionInQuery(request));
  ReadRequest read{
      .dataset = request.name, .version = std::move(queried.version), .as_of = queried.as_of};
  for (const auto& [key, value] : request.query) {
    if (key != "columns") continue;
    ARROW_ASSIGN_OR_RAISE(auto columns, ParseColumns(value));
    if (!read.columns) read.columns.emplace();
    std::ranges::move(columns, std::back_inserter(*read.columns));
  }
  ARROW_ASSIGN_OR_RAISE(const auto offset, request.QueryCount("offset"));
  read.offset_rows = offset.value_or(0);
  ARROW_ASSIGN_OR_RAISE(read.limit_rows, request.QueryCount("limit"));
  return read;
}

HttpResponse NeedsHttp11() {
  return ProblemWith(505, Error(ErrorKind::kUnimplemented,
                                "rows come in chunks, which HTTP/1.0 does not know, and without "
                                "which nobody could tell their end from a failure: use HTTP/1.1 "
                                "(in nginx: proxy_http_version 1.1)"));
}

}  // namespace

arrow::Result<HttpResponse> GetRows(const HttpContext& context, const HttpRequest& request,
                                    const ChosenFormat& format) {
  if (request.is_http_1_0) return NeedsHttp11();
  ARROW_ASSIGN_OR_RAISE(ReadRequest read, ReadRequestOf(request));
  ARROW_ASSIGN_OR_RAISE(const ReadDescription described,
                        context.service->DescribeRead(request.caller, read, 1));
  // What is read is what the headers say, whatever happens to the dataset meanwhile.
  read.version = described.dataset.version;
  read.as_of.reset();
  HttpHeaders headers;
  const std::string tag = DerivedTag(described, FormatName(format.format));
  if (auto answer = AnswerConditions(request, tag, described.dataset.modified, &headers)) {
    return *std::move(answer);
  }
  HttpResponse response{.headers = std::move(headers)};
  const bool is_text = format.format == DatasetFormat::kCsv;
  response.Add("Content-Type", std::string(format.media_type) + (is_text ? "; charset=utf-8" : ""));
  response.Add("Content-Disposition",
               ContentDisposition(described.dataset.name, FormatName(format.format)));
  if (request.is_head()) return response;
  ARROW_ASSIGN_OR_RAISE(response.held, TakeStreamPlace(context, request, /*is_upload=*/false));
  ARROW_ASSIGN_OR_RAISE(auto batches, context.service->Read(request.caller, read));
  auto encoder = MakeEncoder(format.format, batches->schema());
  auto source = std::make_unique<RowsSource>(std::move(batches), std::move(encoder));
  ARROW_RETURN_NOT_OK(source->Begin());
  response.source = std::move(source);
  return response;
}

}  // namespace hangar
