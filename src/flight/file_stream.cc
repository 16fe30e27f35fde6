#include "flight/file_stream.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include "base/error.h"

namespace hangar {
namespace {

class FileBatches final : public arrow::RecordBatchReader {
 public:
  FileBatches(std::unique_ptr<StoredFileReader> file, const FileRange& range)
      : file_(std::move(file)), range_(range) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    const int64_t length = std::min(kFileBlockBytes, range_.length_bytes);
    if (length == 0) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(length));
    ARROW_RETURN_NOT_OK(file_->ReadAt(range_.offset_bytes, length, bytes->mutable_data()));
    range_.offset_bytes += length;
    range_.length_bytes -= length;
    const int32_t ends[] = {0, static_cast<int32_t>(length)};
    auto offsets =
        arrow::Buffer::FromVector(std::vector<int32_t>(std::begin(ends), std::end(ends)));
    *batch = arrow::RecordBatch::Make(
        schema_, 1,
        {std::make_shared<arrow::BinaryArray>(1, std::move(offsets), std::move(bytes))});
    return arrow::Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_ = FileStreamSchema();
  const std::unique_ptr<StoredFileReader> file_;
  FileRange range_;  // What is left of it.
};

template <typename Array>
arrow::Status AppendValues(const Array& array, FileUpload& upload) {
  for (int64_t i = 0; i < array.length(); ++i) {
    const std::string_view value = array.GetView(i);
    ARROW_RETURN_NOT_OK(upload.Append(value.data(), static_cast<int64_t>(value.size())));
  }
  return arrow::Status::OK();
}

}  // namespace

std::shared_ptr<arrow::Schema> FileStreamSchema() {
  return arrow::schema({arrow::field("parquet", arrow::binary(), /*nullable=*/false)},
                       arrow::key_value_metadata({"hangar:format"}, {"parquet"}));
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StreamFile(
    std::unique_ptr<StoredFileReader> file, const FileRange& range) {
  if (range.offset_bytes < 0 || range.length_bytes < 0 || range.offset_bytes > file->size_bytes() ||
      range.length_bytes > file->size_bytes() - range.offset_bytes) {
    return MakeError(ErrorKind::kInvalidArgument, "the ticket asks for bytes beyond the file's");
  }
  return std::make_shared<FileBatches>(std::move(file), range);
}

arrow::Status CheckFileStreamSchema(const arrow::Schema& schema) {
  if (schema.num_fields() == 1) {
    const arrow::Type::type type = schema.field(0)->type()->id();
    if (type == arrow::Type::BINARY || type == arrow::Type::LARGE_BINARY) {
      return arrow::Status::OK();
    }
  }
  return MakeError(ErrorKind::kInvalidArgument,
                   "with the format 'parquet' the upload must have one column, of type binary or "
                   "large_binary, whose values joined are the file");
}

arrow::Status AppendFileBytes(const arrow::RecordBatch& batch, FileUpload& upload) {
  const auto& column = batch.column(0);
  if (!batch.ValidateFull().ok() || column->null_count() > 0) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "the upload is malformed: its column of bytes has nulls or offsets that do "
                     "not fit its data");
  }
  if (column->type_id() == arrow::Type::BINARY) {
    return AppendValues(static_cast<const arrow::BinaryArray&>(*column), upload);
  }
  return AppendValues(static_cast<const arrow::LargeBinaryArray&>(*column), upload);
}

}  // namespace hangar
