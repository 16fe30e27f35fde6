#include "cli/batch_file_writer.h"

#include <string>
#include <utility>

#include <arrow/io/compressed.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "cli/dictionary_merger.h"
#include "text/row_text.h"

namespace hangar::cli {
namespace {

using OutputStream = arrow::io::OutputStream;

constexpr int64_t kRowGroupRowsMax = 1 << 20;
constexpr int64_t kRowGroupBytesMax = 128 << 20;
constexpr size_t kTextBufferBytes = 1 << 20;

// What a library says about a schema it cannot write.
arrow::Status CannotHold(const char* format, const arrow::Status& status) {
  return Error(ErrorKind::kInvalidArgument,
               "a {} file cannot hold this dataset: {} (another --format can)", format,
               status.message());
}

class ParquetFileWriter final : public BatchFileWriter {
 public:
  static arrow::Result<std::unique_ptr<BatchFileWriter>> Open(
      const std::shared_ptr<arrow::Schema>& schema, std::shared_ptr<OutputStream> out) {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(parquet::Compression::ZSTD)
                                ->max_row_group_length(kRowGroupRowsMax)
                                ->build();
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    auto writer = parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(),
                                                   std::move(out), properties, arrow_properties);
    if (!writer.ok()) return CannotHold("Parquet", writer.status());
    return std::unique_ptr<BatchFileWriter>(new ParquetFileWriter(*std::move(writer)));
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    if (row_group_bytes_ >= kRowGroupBytesMax) {
      ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      row_group_bytes_ = 0;
    }
    row_group_bytes_ += arrow::util::ReferencedBufferSize(*batch).ValueOr(0);
    return writer_->WriteRecordBatch(*batch);
  }

  arrow::Status Close() override { return writer_->Close(); }

 private:
  explicit ParquetFileWriter(std::unique_ptr<parquet::arrow::FileWriter> writer)
      : writer_(std::move(writer)) {}

  const std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t row_group_bytes_ = 0;  // Of Arrow data in the row group that grows.
};

class ArrowFileWriter final : public BatchFileWriter {
 public:
  static arrow::Result<std::unique_ptr<BatchFileWriter>> Open(
      FileFormat format, const std::shared_ptr<arrow::Schema>& schema,
      std::shared_ptr<OutputStream> out) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    if (format == FileFormat::kArrowStream) {
      ARROW_ASSIGN_OR_RAISE(auto writer,
                            arrow::ipc::MakeStreamWriter(std::move(out), schema, options));
      return std::unique_ptr<BatchFileWriter>(new ArrowFileWriter(std::move(writer), nullptr));
    }
    options.emit_dictionary_deltas = true;
    ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeFileWriter(std::move(out), schema, options));
    return std::unique_ptr<BatchFileWriter>(
        new ArrowFileWriter(std::move(writer), std::make_unique<DictionaryMerger>(*schema)));
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    if (merger_ == nullptr) return writer_->WriteRecordBatch(*batch);
    ARROW_ASSIGN_OR_RAISE(const auto merged, merger_->Merge(batch));
    return writer_->WriteRecordBatch(*merged);
  }

  arrow::Status Close() override { return writer_->Close(); }

 private:
  ArrowFileWriter(std::shared_ptr<arrow::ipc::RecordBatchWriter> writer,
                  std::unique_ptr<DictionaryMerger> merger)
      : writer_(std::move(writer)), merger_(std::move(merger)) {}

  const std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  const std::unique_ptr<DictionaryMerger> merger_;  // Null for streams, which need none.
};

// Gathers lines and writes them in large pieces.
class TextFileWriter final : public BatchFileWriter {
 public:
  TextFileWriter(std::unique_ptr<RowText> lines, std::shared_ptr<OutputStream> out)
      : lines_(std::move(lines)), out_(std::move(out)) {
    lines_->AppendHeader(&text_);
  }

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    ARROW_RETURN_NOT_OK(lines_->SetBatch(batch));
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      lines_->AppendRow(row, &text_);
      if (text_.size() >= kTextBufferBytes) ARROW_RETURN_NOT_OK(Flush());
    }
    return arrow::Status::OK();
  }

  arrow::Status Close() override { return Flush(); }

 private:
  arrow::Status Flush() {
    ARROW_RETURN_NOT_OK(out_->Write(text_.data(), static_cast<int64_t>(text_.size())));
    text_.clear();
    return arrow::Status::OK();
  }

  const std::unique_ptr<RowText> lines_;
  const std::shared_ptr<OutputStream> out_;
  std::string text_;
};

// A writer into a compressed stream, which has to be ended after the writer.
class CompressedWriter final : public BatchFileWriter {
 public:
  CompressedWriter(std::unique_ptr<arrow::util::Codec> codec,
                   std::shared_ptr<arrow::io::CompressedOutputStream> stream,
                   std::unique_ptr<BatchFileWriter> writer)
      : codec_(std::move(codec)), stream_(std::move(stream)), writer_(std::move(writer)) {}

  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    return writer_->Write(batch);
  }
  arrow::Status Close() override {
    ARROW_RETURN_NOT_OK(writer_->Close());
    return stream_->Close();
  }

 private:
  const std::unique_ptr<arrow::util::Codec> codec_;
  const std::shared_ptr<arrow::io::CompressedOutputStream> stream_;
  const std::unique_ptr<BatchFileWriter> writer_;
};

// Hands everything on but Close, as the compressed stream closes what is below it.
class UnclosedStream final : public OutputStream {
 public:
  explicit UnclosedStream(std::shared_ptr<OutputStream> out) : out_(std::move(out)) {}
  arrow::Status Close() override { return out_->Flush(); }
  bool closed() const override { return out_->closed(); }
  arrow::Result<int64_t> Tell() const override { return out_->Tell(); }
  arrow::Status Write(const void* data, int64_t bytes) override { return out_->Write(data, bytes); }
  arrow::Status Flush() override { return out_->Flush(); }

 private:
  const std::shared_ptr<OutputStream> out_;
};

}  // namespace

arrow::Result<std::unique_ptr<BatchFileWriter>> BatchFileWriter::Open(
    const FileType& type, const std::shared_ptr<arrow::Schema>& schema,
    std::shared_ptr<OutputStream> out) {
  if (type.compression != FileCompression::kNone) {
    ARROW_ASSIGN_OR_RAISE(auto codec,
                          arrow::util::Codec::Create(type.compression == FileCompression::kGzip
                                                         ? arrow::Compression::GZIP
                                                         : arrow::Compression::ZSTD));
    ARROW_ASSIGN_OR_RAISE(auto stream,
                          arrow::io::CompressedOutputStream::Make(
                              codec.get(), std::make_shared<UnclosedStream>(std::move(out))));
    ARROW_ASSIGN_OR_RAISE(auto writer, Open({type.format, FileCompression::kNone}, schema, stream));
    return std::make_unique<CompressedWriter>(std::move(codec), std::move(stream),
                                              std::move(writer));
  }
  switch (type.format) {
    case FileFormat::kParquet:
      return ParquetFileWriter::Open(schema, std::move(out));
    case FileFormat::kArrowFile:
    case FileFormat::kArrowStream:
      return ArrowFileWriter::Open(type.format, schema, std::move(out));
    case FileFormat::kCsv:
      return std::make_unique<TextFileWriter>(MakeCsvText(*schema, ','), std::move(out));
    case FileFormat::kTsv:
      return std::make_unique<TextFileWriter>(MakeCsvText(*schema, '\t'), std::move(out));
    case FileFormat::kJsonLines:
      return std::make_unique<TextFileWriter>(MakeJsonLinesText(*schema), std::move(out));
  }
  return MakeError(ErrorKind::kInternal, "an unknown file format");
}

}  // namespace hangar::cli
