#include "tests/support/parquet_files.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include "schema/storage_mapping.h"
#include "tests/support/random_arrays.h"

namespace hangar::testing {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;

}  // namespace

arrow::Result<std::shared_ptr<arrow::Buffer>> WriteParquet(const SchemaPtr& schema,
                                                           const arrow::RecordBatchVector& batches,
                                                           bool store_schema,
                                                           int64_t row_group_rows) {
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create());
  parquet::WriterProperties::Builder properties;
  properties.version(parquet::ParquetVersion::PARQUET_2_6)
      ->compression(parquet::Compression::ZSTD)
      ->max_row_group_length(row_group_rows);
  parquet::ArrowWriterProperties::Builder arrow_properties;
  if (store_schema) arrow_properties.store_schema();
  ARROW_ASSIGN_OR_RAISE(
      auto writer, parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), sink,
                                                    properties.build(), arrow_properties.build()));
  for (const auto& batch : batches) ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  if (!store_schema && schema->HasMetadata()) {
    ARROW_RETURN_NOT_OK(writer->AddKeyValueMetadata(schema->metadata()));
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  return sink->Finish();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Store(const SchemaPtr& schema,
                                                    const arrow::RecordBatchVector& batches,
                                                    int64_t row_group_rows) {
  ARROW_ASSIGN_OR_RAISE(auto mapping, StorageMapping::Make(schema));
  arrow::RecordBatchVector stored;
  for (const auto& batch : batches) {
    ARROW_ASSIGN_OR_RAISE(auto mapped, mapping->ToStorage(batch, arrow::default_memory_pool()));
    ARROW_RETURN_NOT_OK(mapped->ValidateFull());
    stored.push_back(std::move(mapped));
  }
  return WriteParquet(mapping->storage_schema(), stored, /*store_schema=*/true, row_group_rows);
}

arrow::Result<Loaded> Load(const std::shared_ptr<arrow::Buffer>& file, int64_t read_rows) {
  auto source = std::make_shared<arrow::io::BufferReader>(file);
  ARROW_ASSIGN_OR_RAISE(auto footer,
                        ReadableFooter(parquet::ParquetFileReader::Open(source)->metadata()));
  ARROW_ASSIGN_OR_RAISE(ReadMapping mapping, MakeReadMapping(*footer));

  parquet::ArrowReaderProperties properties = StoredFileReaderProperties();
  properties.set_batch_size(read_rows);
  ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::FileReader::Make(
                                         arrow::default_memory_pool(),
                                         parquet::ParquetFileReader::Open(
                                             source, parquet::default_reader_properties(), footer),
                                         properties));
  ARROW_ASSIGN_OR_RAISE(auto decoded, reader->GetRecordBatchReader());
  Loaded loaded{mapping.logical_schema, {}};
  if (!decoded->schema()->Equals(*mapping.read_schema, /*check_metadata=*/false)) {
    return arrow::Status::UnknownError("read_schema is ", mapping.read_schema->ToString(),
                                       " but decoded is ", decoded->schema()->ToString());
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(BatchPtr batch, decoded->Next());
    if (batch == nullptr) break;
    // In two slices, as a read that begins in the middle has them.
    const int64_t cut = batch->num_rows() / 3;
    for (const BatchPtr& slice : {batch->Slice(0, cut), batch->Slice(cut)}) {
      if (slice->num_rows() == 0) continue;
      ARROW_ASSIGN_OR_RAISE(auto logical, ToLogicalBatches(slice, mapping.logical_schema,
                                                           arrow::default_memory_pool()));
      for (const auto& one : logical) {
        ARROW_RETURN_NOT_OK(one->ValidateFull());
        loaded.batches.push_back(one);
      }
    }
  }
  return loaded;
}

std::vector<std::string> Rows(const arrow::RecordBatchVector& batches) {
  std::vector<std::string> rows;
  for (const auto& batch : batches) {
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      std::string row;
      for (const auto& column : batch->columns()) row += Render(*column, i) + " | ";
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

}  // namespace hangar::testing
