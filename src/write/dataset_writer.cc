#include "write/dataset_writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/footer.h"
#include "schema/storage_mapping.h"
#include "write/encode_pipeline.h"
#include "write/parquet_file.h"
#include "write/size_limited_object.h"

namespace hangar {
namespace {

constexpr int64_t kBatchRowsMax = INT32_MAX;

// What can be checked at once: after it the batch can be cut into slices. The values are checked
// where they are encoded.
arrow::Status CheckBatch(const arrow::RecordBatch& batch, const arrow::Schema& schema,
                         int64_t number) {
  if (!batch.schema()->Equals(schema, /*check_metadata=*/false)) {
    return Error(ErrorKind::kInvalidArgument,
                 "batch {} of the upload has another schema than the upload began with", number);
  }
  // Columns of nulls have no bytes: a message of a few says that there are any number of rows.
  if (batch.num_rows() > kBatchRowsMax) {
    return Error(ErrorKind::kInvalidArgument,
                 "batch {} of the upload has {} rows; send it in batches of at most {}", number,
                 batch.num_rows(), kBatchRowsMax);
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (!batch.column(i)->Validate().ok() || batch.column(i)->length() != batch.num_rows()) {
      return Error(ErrorKind::kInvalidArgument,
                   "batch {} of the upload is malformed: the data of column {} does not fit its "
                   "type {}",
                   number, Quoted(batch.schema()->field(i)->name()),
                   batch.schema()->field(i)->type()->ToString());
    }
  }
  return arrow::Status::OK();
}

// Of a dictionary's values, in bytes. They were not checked yet: offsets may lie, and what they
// point to is not looked at.
int64_t LongestValue(const arrow::Array& values) {
  constexpr int64_t kEnough = 1LL << 31;
  int64_t longest = 0;
  const auto look = [&](const auto& array) {
    for (int64_t i = 0; i < array.length(); ++i) {
      longest = std::max<int64_t>(longest, array.value_length(i));
    }
  };
  switch (values.type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      look(static_cast<const arrow::BinaryArray&>(values));
      break;
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      look(static_cast<const arrow::LargeBinaryArray&>(values));
      break;
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      for (int64_t i = 0; i < values.length(); ++i) {
        const auto& view = static_cast<const arrow::BinaryViewArray&>(values).raw_values()[i];
        longest = std::max<int64_t>(longest, view.size());
      }
      break;
    default:
      if (arrow::is_fixed_width(values.type_id())) {
        longest = static_cast<const arrow::FixedWidthType&>(*values.type()).bit_width() / 8;
      }
  }
  return std::min(longest, kEnough);
}

// What dictionaries come to where they are written out as their values, at most.
int64_t ExpandedBytes(const arrow::ArrayData& data) {
  constexpr int64_t kEnough = 1LL << 50;  // A sum that cannot overflow.
  if (data.dictionary != nullptr) {
    return std::min(data.length * LongestValue(*arrow::MakeArray(data.dictionary)), kEnough);
  }
  int64_t bytes = 0;
  for (const auto& child : data.child_data) {
    bytes = std::min(bytes + ExpandedBytes(*child), kEnough);
  }
  return bytes;
}

// About how many bytes a batch is in the form in which it is encoded: a batch of a few bytes with a
// dictionary of one long value can be thousands of times as large.
int64_t StoredBytes(const arrow::RecordBatch& batch) {
  int64_t bytes = arrow::util::TotalBufferSize(batch);
  for (const auto& column : batch.columns()) bytes += ExpandedBytes(*column->data());
  return bytes;
}

}  // namespace

class DatasetWriter::Encoder {
 public:
  static arrow::Result<std::unique_ptr<Encoder>> Make(ObjectStore& store,
                                                      std::shared_ptr<arrow::Schema> schema,
                                                      const WriteSettings& settings,
                                                      StageOptions staging) {
    ARROW_RETURN_NOT_OK(CheckStorable(*schema));
    ARROW_RETURN_NOT_OK(CheckSettings(settings));
    ARROW_ASSIGN_OR_RAISE(auto mapping, StorageMapping::Make(std::move(schema)));
    staging.reads_back = ReadsBack::kEnd;
    ARROW_ASSIGN_OR_RAISE(auto staged, store.Stage(staging));
    staged = LimitSize(std::move(staged), settings.file_bytes_max);
    std::unique_ptr<Encoder> encoder(new Encoder(std::move(mapping), settings, std::move(staged)));
    ARROW_RETURN_NOT_OK(encoder->Open());
    return encoder;
  }

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) {
    ARROW_RETURN_NOT_OK(CheckBatch(*batch, *mapping_->logical_schema(), ++batches_));
    if (batch->num_rows() == 0) return arrow::Status::OK();
    if (batch->num_columns() == 0) {
      return Error(ErrorKind::kInvalidArgument,
                   "the upload has rows but no columns, which Parquet cannot hold");
    }
    const int64_t row_bytes = std::max<int64_t>(StoredBytes(*batch) / batch->num_rows(), 1);
    int64_t next_row = 0;
    while (next_row < batch->num_rows()) {
      const int64_t rows_fit = std::min(
          settings_.row_group_rows - row_group_rows_,
          std::max<int64_t>((settings_.row_group_bytes - row_group_bytes_) / row_bytes, 1));
      const int64_t rows = std::min(rows_fit, batch->num_rows() - next_row);
      ARROW_RETURN_NOT_OK(
          pipeline_->Append(*batch->Slice(next_row, rows), batches_, rows * row_bytes));
      row_group_rows_ += rows;
      row_group_bytes_ += rows * row_bytes;
      next_row += rows;
      ARROW_RETURN_NOT_OK(EndRowGroupIfFull());
    }
    rows_ += batch->num_rows();
    return arrow::Status::OK();
  }

  arrow::Status Finish() {
    ARROW_ASSIGN_OR_RAISE(const std::vector<ColumnCodec> codecs, pipeline_->Finish());
    ARROW_RETURN_NOT_OK(file_->Finish(codecs));
    ARROW_RETURN_NOT_OK(staged_->Seal());
    ARROW_ASSIGN_OR_RAISE(const auto reader, staged_->OpenSealed());
    auto footer = ReadFooter(*reader);
    if (!footer.ok()) {
      const bool is_of_the_bytes = KindOf(footer.status()) == ErrorKind::kDataLoss;
      if (HasErrorKind(footer.status()) && !is_of_the_bytes) return footer.status();
      return arrow::Status::UnknownError("a finished upload could not be read back: ",
                                         footer.status().message());
    }
    if ((*footer)->rows != rows_) {
      return arrow::Status::UnknownError("a finished upload of ", rows_, " rows reads back as ",
                                         (*footer)->rows);
    }
    if (!(*footer)->logical_schema->Equals(*mapping_->logical_schema(), /*check_metadata=*/true)) {
      return Error(ErrorKind::kUnimplemented,
                   "the upload's schema would not come back from Parquet as it is: {}",
                   Quoted((*footer)->logical_schema->ToString()));
    }
    footer_ = *std::move(footer);
    return arrow::Status::OK();
  }

  arrow::Result<Snapshot> Publish(const DatasetName& name, const Precondition& precondition) {
    ARROW_ASSIGN_OR_RAISE(ObjectInfo object, staged_->Publish(name.value(), precondition));
    return Snapshot{std::move(object), footer_, std::nullopt};
  }

  int64_t rows() const { return rows_; }

 private:
  Encoder(std::shared_ptr<const StorageMapping> mapping, const WriteSettings& settings,
          std::unique_ptr<StagedObject> staged)
      : mapping_(std::move(mapping)), settings_(settings), staged_(std::move(staged)) {}

  arrow::Status Open() {
    ARROW_ASSIGN_OR_RAISE(
        file_, ParquetFile::Make(*mapping_->storage_schema(), settings_.upload_id, staged_.get()));
    ARROW_ASSIGN_OR_RAISE(
        pipeline_, EncodePipeline::Make(*mapping_->logical_schema(), settings_, file_.get()));
    return arrow::Status::OK();
  }

  arrow::Status EndRowGroupIfFull() {
    if (row_group_rows_ < settings_.row_group_rows &&
        row_group_bytes_ < settings_.row_group_bytes) {
      return arrow::Status::OK();
    }
    row_group_rows_ = 0;
    row_group_bytes_ = 0;
    return pipeline_->EndRowGroup();
  }

  const std::shared_ptr<const StorageMapping> mapping_;
  const WriteSettings settings_;
  const std::unique_ptr<StagedObject> staged_;
  std::unique_ptr<ParquetFile> file_;
  std::unique_ptr<EncodePipeline> pipeline_;  // After the file, which its tasks write.
  std::shared_ptr<const Footer> footer_;      // Set by Finish.
  int64_t batches_ = 0;
  int64_t rows_ = 0;
  int64_t row_group_rows_ = 0;  // In the row group that is open, if any.
  int64_t row_group_bytes_ = 0;
};

DatasetWriter::DatasetWriter(std::unique_ptr<Encoder> encoder) : encoder_(std::move(encoder)) {}
DatasetWriter::~DatasetWriter() = default;

arrow::Result<std::unique_ptr<DatasetWriter>> DatasetWriter::Make(
    ObjectStore& store, std::shared_ptr<arrow::Schema> schema, const WriteSettings& settings,
    const StageOptions& staging) {
  ARROW_ASSIGN_OR_RAISE(auto encoder, Encoder::Make(store, std::move(schema), settings, staging));
  return std::unique_ptr<DatasetWriter>(new DatasetWriter(std::move(encoder)));
}

arrow::Status DatasetWriter::Append(const std::shared_ptr<arrow::RecordBatch>& batch) {
  return encoder_->Append(batch);
}

arrow::Status DatasetWriter::Finish() { return encoder_->Finish(); }

arrow::Result<Snapshot> DatasetWriter::Publish(const DatasetName& name,
                                               const Precondition& precondition) {
  return encoder_->Publish(name, precondition);
}

int64_t DatasetWriter::rows() const { return encoder_->rows(); }

}  // namespace hangar
