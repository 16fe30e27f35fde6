#include "read/stored_file.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/size_statistics.h>

#include "catalog/object_file.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// A row group with more compressed bytes than this is not held whole but read through small
// buffers, one a column.
constexpr int64_t kRowGroupHeldBytesMax = 256LL * 1024 * 1024;
constexpr int64_t kColumnBufferBytes = 256 * 1024;
// Row groups of one file are alike; a few tell how wide its rows are.
constexpr size_t kRowGroupsLookedAt = 4;
constexpr int64_t kColumnChunkBytesMax = 1LL << 50;
// Decoding in steps of more rows than this gains nothing: it is Arrow's own default.
constexpr int64_t kStepRowsMax = 64 * 1024;
// A scan of more steps than this would be more bookkeeping than decoding.
constexpr int64_t kStepsMax = 1 << 20;

// The Parquet columns of each top-level field: they stand together, in the order of the fields.
std::vector<std::vector<int>> LeavesOfFields(const parquet::SchemaDescriptor& schema) {
  std::vector<std::vector<int>> leaves(static_cast<size_t>(schema.group_node()->field_count()));
  const parquet::schema::Node* root = nullptr;
  size_t field = 0;
  for (int leaf = 0; leaf < schema.num_columns(); ++leaf) {
    if (root != nullptr && schema.GetColumnRoot(leaf) != root) ++field;
    root = schema.GetColumnRoot(leaf);
    leaves[field].push_back(leaf);
  }
  return leaves;
}

// The most that one row group of the plan takes, compressed.
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

// About what a column chunk takes once decoded.
int64_t DecodedBytes(const parquet::ColumnChunkMetaData& chunk, int64_t rows) {
  constexpr int64_t kOffsetBytes = 4;
  const int64_t values = std::max(rows, chunk.num_values());
  const auto sizes = chunk.size_statistics();
  if (sizes != nullptr && sizes->unencoded_byte_array_data_bytes) {
    return *sizes->unencoded_byte_array_data_bytes + values * kOffsetBytes;
  }
  const int64_t width = parquet::GetTypeByteSize(chunk.type());
  return std::max(chunk.total_uncompressed_size(), values * std::max<int64_t>(width, 1));
}

// For each of the plan's fields, at the most over the row groups that are looked at.
std::vector<int64_t> EstimateRowBytes(const Footer& footer, const ScanPlan& plan,
                                      const std::vector<std::vector<int>>& leaves_of_fields) {
  std::vector<int64_t> row_bytes(plan.fields.size(), 1);
  const size_t slices = std::min(plan.slices.size(), kRowGroupsLookedAt);
  for (size_t slice = 0; slice < slices; ++slice) {
    const auto row_group = footer.metadata->RowGroup(plan.slices[slice].row_group);
    const int64_t rows = row_group->num_rows();
    for (size_t i = 0; i < plan.fields.size(); ++i) {
      for (const int leaf : leaves_of_fields[static_cast<size_t>(plan.fields[i])]) {
        // A footer can claim any number.
        const int64_t bytes = std::clamp<int64_t>(DecodedBytes(*row_group->ColumnChunk(leaf), rows),
                                                  0, kColumnChunkBytesMax);
        row_bytes[i] = std::max(row_bytes[i], bytes / rows);
      }
    }
  }
  return row_bytes;
}

int64_t StepRows(const ScanPlan& plan, const std::vector<int64_t>& row_bytes,
                 int64_t decode_bytes) {
  int64_t bytes = 1;
  for (const int64_t field_bytes : row_bytes) bytes = std::min(bytes + field_bytes, decode_bytes);
  const int64_t rows = std::clamp<int64_t>(decode_bytes / bytes, 1, kStepRowsMax);
  return std::max(rows, plan.rows / kStepsMax + 1);
}

}  // namespace

StoredFile::StoredFile(OpenSnapshot snapshot, const ScanPlan& plan, int64_t decode_bytes,
                       arrow::MemoryPool* pool)
    : snapshot_(std::move(snapshot)),
      pool_(pool),
      leaves_of_fields_(LeavesOfFields(*footer().metadata->schema())),
      row_bytes_(EstimateRowBytes(footer(), plan, leaves_of_fields_)),
      step_rows_(StepRows(plan, row_bytes_, decode_bytes)) {}

StoredFile::~StoredFile() = default;

arrow::Result<std::shared_ptr<StoredFile>> StoredFile::Open(OpenSnapshot snapshot,
                                                            const ScanPlan& plan,
                                                            int64_t decode_bytes,
                                                            arrow::MemoryPool* pool) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  std::shared_ptr<StoredFile> file(new StoredFile(std::move(snapshot), plan, decode_bytes, pool));
  parquet::ReaderProperties properties = StoredFileProperties(pool);
  if (LargestRowGroupBytes(*file->footer().metadata, plan) > kRowGroupHeldBytesMax) {
    properties.enable_buffered_stream();
    properties.set_buffer_size(kColumnBufferBytes);
  }
  parquet::ArrowReaderProperties arrow_properties = StoredFileReaderProperties();
  // Reading ahead into memory that lives as long as the reader would hold a whole scan.
  arrow_properties.set_pre_buffer(false);
  arrow_properties.set_batch_size(file->step_rows());
  MutexLock lock(file->opening_);
  ARROW_ASSIGN_OR_RAISE(
      file->file_, parquet::arrow::FileReader::Make(
                       pool,
                       parquet::ParquetFileReader::Open(OpenAsFile(file->snapshot_.reader, pool),
                                                        properties, file->footer().metadata),
                       arrow_properties));
  return file;
  END_PARQUET_CATCH_EXCEPTIONS
}

arrow::Result<std::unique_ptr<ColumnGroupDecoder>> StoredFile::OpenRowGroup(
    int row_group, const std::vector<int>& fields) {
  std::vector<int> leaves;
  arrow::FieldVector logical_fields;
  for (const int field : fields) {
    const auto& leaves_of_field = leaves_of_fields_[static_cast<size_t>(field)];
    leaves.insert(leaves.end(), leaves_of_field.begin(), leaves_of_field.end());
    logical_fields.push_back(footer().logical_schema->field(field));
  }
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  std::unique_ptr<arrow::RecordBatchReader> batches;
  {
    MutexLock lock(opening_);
    ARROW_ASSIGN_OR_RAISE(batches, file_->GetRecordBatchReader({row_group}, leaves));
  }
  return std::unique_ptr<ColumnGroupDecoder>(new ColumnGroupDecoder(
      shared_from_this(), arrow::schema(std::move(logical_fields)), std::move(batches)));
  END_PARQUET_CATCH_EXCEPTIONS
}

ColumnGroupDecoder::ColumnGroupDecoder(std::shared_ptr<StoredFile> file,
                                       std::shared_ptr<arrow::Schema> schema,
                                       std::unique_ptr<arrow::RecordBatchReader> batches)
    : file_(std::move(file)), schema_(std::move(schema)), batches_(std::move(batches)) {}

ColumnGroupDecoder::~ColumnGroupDecoder() = default;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ColumnGroupDecoder::Take(int64_t rows_max) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  while (in_hand_ == nullptr || in_hand_->num_rows() == 0) {
    ARROW_RETURN_NOT_OK(batches_->ReadNext(&in_hand_));
    if (in_hand_ == nullptr) {
      return arrow::Status::IOError("a row group holds fewer rows than the footer says");
    }
  }
  END_PARQUET_CATCH_EXCEPTIONS
  if (in_hand_->num_rows() <= rows_max) return std::exchange(in_hand_, nullptr);
  auto taken = in_hand_->Slice(0, rows_max);
  in_hand_ = in_hand_->Slice(rows_max);
  return taken;
}

arrow::Status ColumnGroupDecoder::Skip(int64_t rows) {
  while (rows > 0) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, Take(rows));
    rows -= batch->num_rows();
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<arrow::ArrayVector>> ColumnGroupDecoder::Decode(int64_t rows) {
  std::vector<arrow::ArrayVector> columns(static_cast<size_t>(schema_->num_fields()));
  while (rows > 0) {
    ARROW_ASSIGN_OR_RAISE(const auto decoded, Take(rows));
    rows -= decoded->num_rows();
    ARROW_ASSIGN_OR_RAISE(const auto batches, ToLogicalBatches(decoded, schema_, file_->pool()));
    for (const auto& batch : batches) {
      for (size_t i = 0; i < columns.size(); ++i) {
        columns[i].push_back(batch->column(static_cast<int>(i)));
      }
    }
  }
  return columns;
}

}  // namespace hangar
