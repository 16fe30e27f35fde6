#include "write/parquet_file.h"

#include <cstring>
#include <string>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "schema/schema_metadata.h"

namespace hangar {
namespace {

constexpr char kMagic[] = "PAR1";
constexpr size_t kGatheredBytesMax = 1 << 20;
constexpr int64_t kGatheredPartMax = 64 << 10;

std::shared_ptr<parquet::WriterProperties> PropertiesOf(const parquet::SchemaDescriptor& columns,
                                                        const std::vector<ColumnCodec>& codecs) {
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_LATEST)->enable_write_page_index();
  for (size_t i = 0; i < codecs.size(); ++i) {
    builder.compression(columns.Column(static_cast<int>(i))->path(), codecs[i].type);
  }
  return builder.build();
}

void AddChunk(const EncodedChunk& chunk, int64_t offset,
              parquet::ColumnChunkMetaDataBuilder& metadata, parquet::ColumnIndexBuilder& bounds,
              parquet::OffsetIndexBuilder& offsets) {
  const int64_t data_offset = offset + chunk.dictionary_bytes;
  for (const EncodedPage& page : chunk.pages) {
    bounds.AddPage(page.statistics, page.size_statistics);
    offsets.AddPage(page.offset, page.size_bytes, page.first_row,
                    page.size_statistics.unencoded_byte_array_data_bytes);
  }
  bounds.Finish();
  offsets.Finish(data_offset);
  if (chunk.statistics.is_set()) metadata.SetStatistics(chunk.statistics);
  metadata.SetSizeStatistics(chunk.size_statistics);
  metadata.Finish(chunk.values, chunk.dictionary_bytes > 0 ? offset : 0, /*index_page_offset=*/-1,
                  data_offset, chunk.compressed_bytes, chunk.uncompressed_bytes,
                  chunk.dictionary_bytes > 0, chunk.fell_back, chunk.dictionary_encodings,
                  chunk.data_encodings);
}

}  // namespace

struct ParquetFile::Schema {
  std::shared_ptr<parquet::SchemaDescriptor> columns;
  std::shared_ptr<const arrow::KeyValueMetadata> metadata;
};

// The staged object as a sink: small writes are gathered, so that each is not a call of the system.
class ParquetFile::Sink final : public arrow::io::OutputStream {
 public:
  explicit Sink(StagedObject* staged) : staged_(staged) {}

  arrow::Status Write(const void* bytes, int64_t length) override {
    position_ += length;
    if (length > kGatheredPartMax) {
      ARROW_RETURN_NOT_OK(Flush());
      return staged_->Append(bytes, length);
    }
    gathered_.append(static_cast<const char*>(bytes), static_cast<size_t>(length));
    return gathered_.size() < kGatheredBytesMax ? arrow::Status::OK() : Flush();
  }
  using arrow::io::OutputStream::Write;

  arrow::Status Flush() override {
    if (gathered_.empty()) return arrow::Status::OK();
    const auto status = staged_->Append(gathered_.data(), static_cast<int64_t>(gathered_.size()));
    gathered_.clear();
    return status;
  }

  // See StagedObject::BeginEnd.
  arrow::Status BeginEnd() {
    ARROW_RETURN_NOT_OK(Flush());
    staged_->BeginEnd();
    return arrow::Status::OK();
  }

  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override { return Flush(); }
  bool closed() const override { return false; }

  int64_t position() const { return position_; }

 private:
  StagedObject* const staged_;
  std::string gathered_;
  int64_t position_ = 0;
};

ParquetFile::ParquetFile(std::unique_ptr<Schema> schema, StagedObject* staged)
    : schema_(std::move(schema)), sink_(std::make_shared<Sink>(staged)) {}

ParquetFile::~ParquetFile() = default;

arrow::Result<std::unique_ptr<ParquetFile>> ParquetFile::Make(const arrow::Schema& storage,
                                                              const std::string& upload_id,
                                                              StagedObject* staged) {
  auto schema = std::make_unique<Schema>();
  const auto properties = PropertiesOf({}, {});
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_RETURN_NOT_OK(
      parquet::arrow::ToParquetSchema(&storage, *properties, *arrow_properties, &schema->columns));
  END_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(std::string encoded, EncodeSchema(storage));
  schema->metadata = WithKey(storage.metadata(), kArrowSchemaKey, std::move(encoded));
  if (!upload_id.empty()) {
    schema->metadata = WithKey(schema->metadata, kUploadIdKey, upload_id);
  }
  std::unique_ptr<ParquetFile> file(new ParquetFile(std::move(schema), staged));
  ARROW_RETURN_NOT_OK(file->sink_->Write(kMagic, std::strlen(kMagic)));
  return file;
}

const parquet::SchemaDescriptor& ParquetFile::columns() const { return *schema_->columns; }

arrow::Status ParquetFile::AppendRowGroup(int64_t rows, std::vector<EncodedChunk> chunks) {
  RowGroup row_group{.rows = rows};
  for (EncodedChunk& chunk : chunks) {
    row_group.offsets.push_back(sink_->position());
    for (auto& part : std::exchange(chunk.parts, {})) {
      ARROW_RETURN_NOT_OK(sink_->Write(part->data(), part->size()));
      part.reset();
    }
  }
  row_group.chunks = std::move(chunks);
  row_groups_.push_back(std::move(row_group));
  return arrow::Status::OK();
}

arrow::Status ParquetFile::WriteFooter(const std::vector<ColumnCodec>& codecs) {
  const parquet::SchemaDescriptor& columns = *schema_->columns;
  const auto footer = parquet::FileMetaDataBuilder::Make(&columns, PropertiesOf(columns, codecs));
  const auto indexes = parquet::PageIndexBuilder::Make(&columns);
  for (const RowGroup& row_group : row_groups_) {
    parquet::RowGroupMetaDataBuilder* metadata = footer->AppendRowGroup();
    metadata->set_num_rows(row_group.rows);
    indexes->AppendRowGroup();
    int64_t uncompressed_bytes = 0;
    for (size_t i = 0; i < row_group.chunks.size(); ++i) {
      const auto column = static_cast<int32_t>(i);
      AddChunk(row_group.chunks[i], row_group.offsets[i], *metadata->NextColumnChunk(),
               *indexes->GetColumnIndexBuilder(column), *indexes->GetOffsetIndexBuilder(column));
      uncompressed_bytes += row_group.chunks[i].uncompressed_bytes;
    }
    metadata->Finish(uncompressed_bytes);
  }
  indexes->Finish();
  const auto written = indexes->WriteTo(sink_.get());
  footer->SetIndexLocations(parquet::IndexKind::kColumnIndex, written.column_index_locations);
  footer->SetIndexLocations(parquet::IndexKind::kOffsetIndex, written.offset_index_locations);
  ARROW_RETURN_NOT_OK(sink_->BeginEnd());  // The footer is what is read back.
  parquet::WriteFileMetaData(*footer->Finish(schema_->metadata), sink_.get());
  return arrow::Status::OK();
}

arrow::Status ParquetFile::Finish(const std::vector<ColumnCodec>& codecs) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_RETURN_NOT_OK(WriteFooter(codecs));
  END_PARQUET_CATCH_EXCEPTIONS
  return sink_->Flush();
}

}  // namespace hangar
