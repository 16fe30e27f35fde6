#include "write/dataset_writer.h"

#include <algorithm>
#include <utility>

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"
#include "schema/storage_mapping.h"
#include "write/staged_sink.h"

namespace hangar {
namespace {

arrow::Status CheckBatch(const arrow::RecordBatch& batch, const arrow::Schema& schema,
                         int64_t number) {
  if (!batch.schema()->Equals(schema, /*check_metadata=*/false)) {
    return Error(ErrorKind::kInvalidArgument,
                 "batch {} of the upload has another schema than the upload began with", number);
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (!batch.column(i)->ValidateFull().ok() || batch.column(i)->length() != batch.num_rows()) {
      return Error(ErrorKind::kInvalidArgument,
                   "batch {} of the upload is malformed: the data of column {} does not fit its "
                   "type {}",
                   number, Quoted(batch.schema()->field(i)->name()),
                   batch.schema()->field(i)->type()->ToString());
    }
  }
  return arrow::Status::OK();
}

// The Parquet columns that these fields become.
int CountColumns(const arrow::FieldVector& fields) {
  int columns = 0;
  for (const auto& field : fields) {
    columns += field->type()->num_fields() > 0 ? CountColumns(field->type()->fields()) : 1;
  }
  return columns;
}

// What Parquet says when it fails is about its own inside, save where the store failed beneath it.
arrow::Status EncodingFailed(const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status) || status.IsOutOfMemory()) return status;
  return arrow::Status(status.code(), "the upload could not be encoded: " + status.message());
}

}  // namespace

class DatasetWriter::Encoder {
 public:
  static arrow::Result<std::unique_ptr<Encoder>> Make(ObjectStore& store,
                                                      std::shared_ptr<arrow::Schema> schema,
                                                      const WriteSettings& settings) {
    ARROW_RETURN_NOT_OK(CheckStorable(*schema));
    ARROW_ASSIGN_OR_RAISE(auto mapping, StorageMapping::Make(std::move(schema)));
    const int columns = CountColumns(mapping->storage_schema()->fields());
    ARROW_ASSIGN_OR_RAISE(auto properties, MakeWriterProperties(settings, columns));
    ARROW_ASSIGN_OR_RAISE(auto staged, store.Stage());
    std::unique_ptr<Encoder> encoder(new Encoder(std::move(mapping), settings, std::move(staged)));
    ARROW_RETURN_NOT_OK(EncodingFailed(encoder->Open(std::move(properties))));
    return encoder;
  }

  ~Encoder() {
    sink_->Abandon();
    parquet_.reset();
  }

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch) {
    ARROW_RETURN_NOT_OK(CheckBatch(*batch, *mapping_->logical_schema(), ++batches_));
    if (batch->num_rows() == 0) return arrow::Status::OK();
    if (batch->num_columns() == 0) {
      return Error(ErrorKind::kInvalidArgument,
                   "the upload has rows but no columns, which Parquet cannot hold");
    }
    ARROW_ASSIGN_OR_RAISE(const auto stored, mapping_->ToStorage(batch, pool_));
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*stored));
    const int64_t row_bytes = std::max<int64_t>(bytes / stored->num_rows(), 1);
    int64_t next_row = 0;
    while (next_row < stored->num_rows()) {
      ARROW_RETURN_NOT_OK(EncodingFailed(EnsureRoomInRowGroup()));
      const int64_t rows_fit = std::min(
          settings_.row_group_rows - row_group_rows_,
          std::max<int64_t>((settings_.row_group_bytes - row_group_bytes_) / row_bytes, 1));
      const int64_t rows = std::min(rows_fit, stored->num_rows() - next_row);
      ARROW_RETURN_NOT_OK(EncodingFailed(Encode(*stored->Slice(next_row, rows))));
      row_group_rows_ += rows;
      row_group_bytes_ += rows * row_bytes;
      next_row += rows;
    }
    rows_ += stored->num_rows();
    return arrow::Status::OK();
  }

  arrow::Status Finish() {
    ARROW_RETURN_NOT_OK(EncodingFailed(Close()));
    ARROW_RETURN_NOT_OK(staged_->Seal());
    ARROW_ASSIGN_OR_RAISE(const auto reader, staged_->OpenSealed());
    auto footer = ReadFooter(*reader);
    if (!footer.ok()) {
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
    return Snapshot{std::move(object), footer_};
  }

  int64_t rows() const { return rows_; }

 private:
  Encoder(std::shared_ptr<const StorageMapping> mapping, const WriteSettings& settings,
          std::unique_ptr<StagedObject> staged)
      : mapping_(std::move(mapping)),
        settings_(settings),
        pool_(settings.pool != nullptr ? settings.pool : arrow::default_memory_pool()),
        staged_(std::move(staged)),
        sink_(std::make_shared<StagedSink>(staged_.get())) {}

  arrow::Status Open(std::shared_ptr<parquet::WriterProperties> properties) {
    auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    ARROW_ASSIGN_OR_RAISE(
        parquet_, parquet::arrow::FileWriter::Open(*mapping_->storage_schema(), pool_, sink_,
                                                   std::move(properties), arrow_properties));
    END_PARQUET_CATCH_EXCEPTIONS
    return arrow::Status::OK();
  }

  arrow::Status EnsureRoomInRowGroup() {
    const bool has_room =
        row_group_rows_ < settings_.row_group_rows && row_group_bytes_ < settings_.row_group_bytes;
    if (has_room && row_group_rows_ > 0) return arrow::Status::OK();
    row_group_rows_ = 0;
    row_group_bytes_ = 0;
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return parquet_->NewBufferedRowGroup();
    END_PARQUET_CATCH_EXCEPTIONS
  }

  arrow::Status Encode(const arrow::RecordBatch& batch) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return parquet_->WriteRecordBatch(batch);
    END_PARQUET_CATCH_EXCEPTIONS
  }

  arrow::Status Close() {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return parquet_->Close();
    END_PARQUET_CATCH_EXCEPTIONS
  }

  const std::shared_ptr<const StorageMapping> mapping_;
  const WriteSettings settings_;
  arrow::MemoryPool* const pool_;
  const std::unique_ptr<StagedObject> staged_;
  const std::shared_ptr<StagedSink> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> parquet_;
  std::shared_ptr<const Footer> footer_;  // Set by Finish.
  int64_t batches_ = 0;
  int64_t rows_ = 0;
  int64_t row_group_rows_ = 0;  // In the row group that is open, if any.
  int64_t row_group_bytes_ = 0;
};

DatasetWriter::DatasetWriter(std::unique_ptr<Encoder> encoder) : encoder_(std::move(encoder)) {}
DatasetWriter::~DatasetWriter() = default;

arrow::Result<std::unique_ptr<DatasetWriter>> DatasetWriter::Make(
    ObjectStore& store, std::shared_ptr<arrow::Schema> schema, const WriteSettings& settings) {
  ARROW_ASSIGN_OR_RAISE(auto encoder, Encoder::Make(store, std::move(schema), settings));
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
