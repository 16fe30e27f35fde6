#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "encode/column_encoder.h"

namespace hangar {
namespace {

std::shared_ptr<parquet::WriterProperties> PropertiesOf(const std::vector<LeafPlan>& plans,
                                                        arrow::MemoryPool* pool) {
  using parquet::Encoding;
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_LATEST)
      ->max_row_group_length(std::numeric_limits<int64_t>::max())
      ->data_pagesize(plans.front().page_bytes)
      ->dictionary_pagesize_limit(plans.front().dictionary_bytes_max)
      ->enable_page_checksum()
      ->enable_write_page_index()
      ->memory_pool(pool);
  for (const LeafPlan& plan : plans) {
    const auto path = plan.column->path();
    builder.compression(path, plan.choice.codec.type)->disable_dictionary(path);
    if (plan.choice.codec.level != arrow::util::kUseDefaultCompressionLevel) {
      builder.compression_level(path, plan.choice.codec.level);
    }
    switch (plan.choice.encoding) {
      case ColumnEncoding::kPlain:
        builder.encoding(path, Encoding::PLAIN);
        break;
      case ColumnEncoding::kDictionary:
        builder.enable_dictionary(path)->encoding(path, Encoding::PLAIN);
        break;
      case ColumnEncoding::kDelta:
        builder.encoding(path, plan.column->physical_type() == parquet::Type::BYTE_ARRAY
                                   ? Encoding::DELTA_BYTE_ARRAY
                                   : Encoding::DELTA_BINARY_PACKED);
        break;
      case ColumnEncoding::kByteStreamSplit:
        builder.encoding(path, Encoding::BYTE_STREAM_SPLIT);
        break;
    }
  }
  return builder.build();
}

// Keeps the buffers that are written to it, each column chunk whole, and can be read back.
class BufferSink final : public arrow::io::OutputStream {
 public:
  arrow::Status Write(const std::shared_ptr<arrow::Buffer>& buffer) override {
    begins_.push_back(position_);
    position_ += buffer->size();
    parts_.push_back(buffer);
    return arrow::Status::OK();
  }
  arrow::Status Write(const void* bytes, int64_t length) override {
    return Write(arrow::Buffer::FromString(
        std::string(static_cast<const char*>(bytes), static_cast<size_t>(length))));
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }

  int64_t size() const { return position_; }

  /// What was written from `begin` on, `size` bytes, without a copy.
  arrow::BufferVector Read(int64_t begin, int64_t size) const {
    arrow::BufferVector read;
    auto part = static_cast<size_t>(std::ranges::upper_bound(begins_, begin) - begins_.begin());
    for (part = part > 0 ? part - 1 : 0; part < parts_.size() && size > 0; ++part) {
      const int64_t skip = begin - begins_[part];
      const int64_t length = std::min(size, parts_[part]->size() - skip);
      if (length > 0) read.push_back(arrow::SliceBuffer(parts_[part], skip, length));
      begin += std::max<int64_t>(length, 0);
      size -= std::max<int64_t>(length, 0);
    }
    return read;
  }

 private:
  std::vector<int64_t> begins_;
  arrow::BufferVector parts_;
  int64_t position_ = 0;
};

// What a BufferSink took in, as a file.
class SunkFile final : public arrow::io::RandomAccessFile {
 public:
  explicit SunkFile(std::shared_ptr<const BufferSink> sink) : sink_(std::move(sink)) {}

  arrow::Result<int64_t> GetSize() override { return sink_->size(); }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    return arrow::ConcatenateBuffers(sink_->Read(position, bytes));
  }
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const auto read, ReadAt(position, bytes));
    std::memcpy(out, read->data(), static_cast<size_t>(read->size()));
    return read->size();
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto read, ReadAt(position_, bytes));
    position_ += read->size();
    return read;
  }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, bytes, out));
    position_ += read;
    return read;
  }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }

 private:
  const std::shared_ptr<const BufferSink> sink_;
  int64_t position_ = 0;
};

// What the indexes of a file of one row group say of a column's pages.
std::vector<EncodedPage> PagesOf(const parquet::OffsetIndex& offsets,
                                 const parquet::ColumnIndex* bounds, int64_t first_page_offset,
                                 const parquet::ColumnDescriptor& column) {
  const auto levels_of = [](const std::vector<int64_t>& histograms, size_t page, size_t levels) {
    const auto begin = histograms.begin() + static_cast<std::ptrdiff_t>(page * levels);
    return std::vector<int64_t>(begin, begin + static_cast<std::ptrdiff_t>(levels));
  };
  std::vector<EncodedPage> pages;
  for (size_t i = 0; i < offsets.page_locations().size(); ++i) {
    const parquet::PageLocation& location = offsets.page_locations()[i];
    EncodedPage page{.offset = location.offset - first_page_offset,
                     .size_bytes = location.compressed_page_size,
                     .first_row = location.first_row_index};
    if (!offsets.unencoded_byte_array_data_bytes().empty()) {
      page.size_statistics.unencoded_byte_array_data_bytes =
          offsets.unencoded_byte_array_data_bytes()[i];
    }
    if (bounds != nullptr) {
      page.statistics.all_null_value = bounds->null_pages()[i];
      if (!page.statistics.all_null_value) {
        page.statistics.set_min(bounds->encoded_min_values()[i]);
        page.statistics.set_max(bounds->encoded_max_values()[i]);
      }
      if (bounds->has_null_counts()) page.statistics.set_null_count(bounds->null_counts()[i]);
      if (bounds->has_definition_level_histograms()) {
        page.size_statistics.definition_level_histogram =
            levels_of(bounds->definition_level_histograms(), i,
                      static_cast<size_t>(column.max_definition_level()) + 1);
      }
      if (bounds->has_repetition_level_histograms()) {
        page.size_statistics.repetition_level_histogram =
            levels_of(bounds->repetition_level_histograms(), i,
                      static_cast<size_t>(column.max_repetition_level()) + 1);
      }
    }
    pages.push_back(std::move(page));
  }
  return pages;
}

EncodedChunk ChunkOf(const parquet::ColumnChunkMetaData& chunk,
                     parquet::RowGroupPageIndexReader& indexes, int column,
                     const parquet::ColumnDescriptor& descriptor, const BufferSink& file) {
  const int64_t data_begin = chunk.data_page_offset();
  const int64_t begin = chunk.has_dictionary_page() ? chunk.dictionary_page_offset() : data_begin;
  EncodedChunk encoded;
  encoded.parts = file.Read(begin, chunk.total_compressed_size());
  encoded.dictionary_bytes = data_begin - begin;
  encoded.compressed_bytes = chunk.total_compressed_size();
  encoded.uncompressed_bytes = chunk.total_uncompressed_size();
  encoded.values = chunk.num_values();
  for (const parquet::PageEncodingStats& stats : chunk.encoding_stats()) {
    auto& encodings = stats.page_type == parquet::PageType::DICTIONARY_PAGE
                          ? encoded.dictionary_encodings
                          : encoded.data_encodings;
    encodings[stats.encoding] += stats.count;
  }
  encoded.fell_back = chunk.has_dictionary_page() && encoded.data_encodings.size() > 1;
  if (const auto statistics = chunk.encoded_statistics()) encoded.statistics = *statistics;
  encoded.statistics.set_is_signed(descriptor.sort_order() == parquet::SortOrder::SIGNED);
  if (const auto sizes = chunk.size_statistics()) encoded.size_statistics = *sizes;
  const auto offsets = indexes.GetOffsetIndex(column);
  const auto bounds = indexes.GetColumnIndex(column);
  if (offsets != nullptr) {
    encoded.pages = PagesOf(*offsets, bounds.get(), data_begin, descriptor);
  }
  return encoded;
}

// A row group is written as a file of its own in memory, and its chunks are taken out of it.
class ArrowColumnEncoder final : public ColumnEncoder {
 public:
  ArrowColumnEncoder(std::vector<LeafPlan> plans, const std::shared_ptr<arrow::Field>& field,
                     arrow::MemoryPool* pool)
      : plans_(std::move(plans)),
        schema_(arrow::schema({field})),
        properties_(PropertiesOf(plans_, pool)),
        pool_(pool) {}

  arrow::Status Append(const std::shared_ptr<arrow::Array>& stored) override {
    if (file_ == nullptr) {
      sink_ = std::make_shared<BufferSink>();
      ARROW_ASSIGN_OR_RAISE(file_,
                            parquet::arrow::FileWriter::Open(
                                *schema_, pool_, sink_, properties_,
                                parquet::ArrowWriterProperties::Builder().store_schema()->build()));
      ARROW_RETURN_NOT_OK(file_->NewBufferedRowGroup());
    }
    return file_->WriteRecordBatch(
        *arrow::RecordBatch::Make(schema_, stored->length(), arrow::ArrayVector{stored}));
  }

  arrow::Result<std::vector<EncodedChunk>> FinishRowGroup() override {
    ARROW_RETURN_NOT_OK(file_->Close());
    const std::shared_ptr<parquet::FileMetaData> metadata = file_->metadata();
    file_.reset();
    const auto file = std::exchange(sink_, nullptr);
    const auto reader = parquet::ParquetFileReader::Open(
        std::make_shared<SunkFile>(file), parquet::ReaderProperties(pool_), metadata);
    const auto indexes = reader->GetPageIndexReader()->RowGroup(0);
    const auto row_group = metadata->RowGroup(0);
    std::vector<EncodedChunk> chunks;
    for (int i = 0; i < row_group->num_columns(); ++i) {
      chunks.push_back(ChunkOf(*row_group->ColumnChunk(i), *indexes, i,
                               *plans_[static_cast<size_t>(i)].column, *file));
    }
    return chunks;
  }

 private:
  const std::vector<LeafPlan> plans_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::shared_ptr<parquet::WriterProperties> properties_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<BufferSink> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> file_;  // Of the open row group.
};

}  // namespace

arrow::Result<std::unique_ptr<ColumnEncoder>> MakeArrowColumnEncoder(
    std::vector<LeafPlan> plans, const std::shared_ptr<arrow::Field>& field,
    arrow::MemoryPool* pool) {
  return std::make_unique<ArrowColumnEncoder>(std::move(plans), field, pool);
}

}  // namespace hangar
