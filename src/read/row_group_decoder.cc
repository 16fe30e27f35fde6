#include "read/row_group_decoder.h"

#include <algorithm>
#include <set>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "catalog/object_file.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// Decoding in steps of more rows than this gains nothing; measured by Arrow's own default.
constexpr int64_t kBatchRowsMax = 64 * 1024;
// A row group with more compressed bytes than this is not held whole but read through small
// buffers, one a column.
constexpr int64_t kRowGroupHeldBytesMax = 256LL * 1024 * 1024;
constexpr int64_t kColumnBufferBytes = 256 * 1024;

void CollectLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.column_index >= 0) leaves->push_back(field.column_index);
  for (const auto& child : field.children) CollectLeaves(child, leaves);
}

// The most that one row group of the plan takes in its columns, compressed.
int64_t LargestRowGroupBytes(const parquet::FileMetaData& metadata, const ScanPlan& plan) {
  int64_t largest = 0;
  for (const RowGroupSlice& slice : plan.slices) {
    const auto row_group = metadata.RowGroup(slice.row_group);
    int64_t bytes = 0;
    for (int column = 0; column < row_group->num_columns(); ++column) {
      bytes += row_group->ColumnChunk(column)->total_compressed_size();
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

// What a row takes at least once decoded, from its fixed-width columns.
int64_t FixedRowBytes(const arrow::Schema& schema) {
  int64_t bytes = 0;
  for (const auto& field : schema.fields()) {
    bytes += std::max(field->type()->byte_width(), 1);
  }
  return bytes;
}

}  // namespace

RowGroupDecoder::RowGroupDecoder(OpenSnapshot snapshot, ScanPlan plan, int64_t decode_bytes,
                                 arrow::MemoryPool* pool)
    : snapshot_(std::move(snapshot)),
      plan_(std::move(plan)),
      decode_bytes_(decode_bytes),
      pool_(pool),
      row_bytes_(FixedRowBytes(*plan_.schema)) {}

RowGroupDecoder::~RowGroupDecoder() = default;

arrow::Result<std::unique_ptr<RowGroupDecoder>> RowGroupDecoder::Make(OpenSnapshot snapshot,
                                                                      ScanPlan plan,
                                                                      int64_t decode_bytes,
                                                                      arrow::MemoryPool* pool) {
  std::unique_ptr<RowGroupDecoder> decoder(
      new RowGroupDecoder(std::move(snapshot), std::move(plan), decode_bytes, pool));
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_RETURN_NOT_OK(decoder->OpenFile());
  END_PARQUET_CATCH_EXCEPTIONS
  return decoder;
}

arrow::Status RowGroupDecoder::OpenFile() {
  const Footer& footer = *snapshot_.snapshot.footer;
  parquet::ReaderProperties properties = StoredFileProperties(pool_);
  if (LargestRowGroupBytes(*footer.metadata, plan_) > kRowGroupHeldBytesMax) {
    properties.enable_buffered_stream();
    properties.set_buffer_size(kColumnBufferBytes);
  }
  parquet::ArrowReaderProperties arrow_properties = StoredFileReaderProperties();
  // Reading ahead into memory that lives as long as the reader would hold a whole scan.
  arrow_properties.set_pre_buffer(false);
  ARROW_ASSIGN_OR_RAISE(
      file_, parquet::arrow::FileReader::Make(
                 pool_,
                 parquet::ParquetFileReader::Open(OpenAsFile(snapshot_.reader, pool_), properties,
                                                  footer.metadata),
                 arrow_properties));
  const auto& fields = file_->manifest().schema_fields;
  const std::set<int> in_file_order(plan_.fields.begin(), plan_.fields.end());
  for (const int field : in_file_order) {
    CollectLeaves(fields[static_cast<size_t>(field)], &leaf_columns_);
  }
  for (const int field : plan_.fields) {
    const auto position = std::distance(in_file_order.begin(), in_file_order.find(field));
    position_of_field_.push_back(static_cast<int>(position));
  }
  return arrow::Status::OK();
}

arrow::Status RowGroupDecoder::OpenSlice(const RowGroupSlice& slice) {
  const auto row_group = snapshot_.snapshot.footer->metadata->RowGroup(slice.row_group);
  int64_t encoded_bytes = 0;
  for (const int column : leaf_columns_) {
    encoded_bytes += row_group->ColumnChunk(column)->total_uncompressed_size();
  }
  const int64_t rows = std::max<int64_t>(row_group->num_rows(), 1);
  const int64_t row_bytes = std::max(row_bytes_, encoded_bytes / rows);
  file_->set_batch_size(std::clamp<int64_t>(decode_bytes_ / row_bytes, 1, kBatchRowsMax));
  ARROW_ASSIGN_OR_RAISE(batches_, file_->GetRecordBatchReader({slice.row_group}, leaf_columns_));
  skip_rows_ = slice.first_row;
  left_rows_ = slice.rows;
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowGroupDecoder::Next() {
  while (converted_.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto decoded, NextDecoded());
    if (decoded == nullptr) return nullptr;
    ARROW_RETURN_NOT_OK(ConvertToPlan(*decoded));
  }
  auto batch = std::move(converted_.front());
  converted_.pop_front();
  return batch;
}

// The next rows of the plan as Parquet's reader gives them.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> RowGroupDecoder::NextDecoded() {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  while (true) {
    if (left_rows_ == 0) {
      batches_.reset();
      if (next_slice_ == plan_.slices.size()) return nullptr;
      const RowGroupSlice& slice = plan_.slices[next_slice_++];
      if (plan_.fields.empty()) {
        return arrow::RecordBatch::Make(plan_.schema, slice.rows, arrow::ArrayVector{});
      }
      ARROW_RETURN_NOT_OK(OpenSlice(slice));
    }
    std::shared_ptr<arrow::RecordBatch> decoded;
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&decoded));
    if (decoded == nullptr) {
      return arrow::Status::IOError("row group ", plan_.slices[next_slice_ - 1].row_group,
                                    " holds fewer rows than its footer says");
    }
    const int64_t decoded_rows = decoded->num_rows();
    if (decoded_rows <= skip_rows_) {
      skip_rows_ -= decoded_rows;
      continue;
    }
    const int64_t rows = std::min(left_rows_, decoded_rows - skip_rows_);
    if (rows != decoded_rows) decoded = decoded->Slice(skip_rows_, rows);
    skip_rows_ = 0;
    left_rows_ -= rows;
    return decoded;
  }
  END_PARQUET_CATCH_EXCEPTIONS
}

// Columns in the plan's order and in the types that clients see.
arrow::Status RowGroupDecoder::ConvertToPlan(const arrow::RecordBatch& decoded) {
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const int position : position_of_field_) {
    fields.push_back(decoded.schema()->field(position));
    columns.push_back(decoded.column(position));
  }
  const auto ordered = arrow::RecordBatch::Make(arrow::schema(std::move(fields)),
                                                decoded.num_rows(), std::move(columns));
  ARROW_ASSIGN_OR_RAISE(auto batches, ToLogicalBatches(ordered, plan_.schema, pool_));
  for (auto& batch : batches) {
    // Dictionaries can blow a few encoded bytes up to many: what was seen sizes the next row
    // groups.
    const int64_t rows = std::max<int64_t>(batch->num_rows(), 1);
    const int64_t row_bytes = arrow::util::TotalBufferSize(*batch) / rows;
    row_bytes_ = std::max(row_bytes_, std::min(row_bytes, decode_bytes_));
    converted_.push_back(std::move(batch));
  }
  return arrow::Status::OK();
}

}  // namespace hangar
