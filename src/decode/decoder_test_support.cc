#include "decode/decoder_test_support.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/chunked_array.h>
#include <arrow/compare.h>
#include <arrow/extension_type.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/bitmap_ops.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "decode/checked_page_stream.h"
#include "schema/storage_mapping.h"

namespace hangar::testing {

FileCut RandomCut(const std::vector<parquet::Compression::type>& codecs, Random& random) {
  FileCut cut;
  cut.codec = PickOf(random, codecs);
  cut.page_version = Pick(random, 0, 1) == 0 ? parquet::ParquetDataPageVersion::V1
                                             : parquet::ParquetDataPageVersion::V2;
  cut.page_bytes = PickOf<int64_t>(random, {1, 200, 5'000, 1 << 20});
  cut.page_rows = PickOf<int64_t>(random, {20, 333, 20'000});
  cut.dictionary_bytes = PickOf<int64_t>(random, {100, 2'000, 1 << 20});
  cut.row_group_rows = PickOf<int64_t>(random, {700, 1 << 20});
  return cut;
}

parquet::WriterProperties::Builder PropertiesOf(const FileCut& cut) {
  parquet::WriterProperties::Builder properties;
  properties.version(parquet::ParquetVersion::PARQUET_2_6)
      ->compression(cut.codec)
      ->data_page_version(cut.page_version)
      ->data_pagesize(cut.page_bytes)
      ->max_rows_per_page(cut.page_rows)
      ->write_batch_size(16)
      ->dictionary_pagesize_limit(cut.dictionary_bytes)
      ->max_row_group_length(cut.row_group_rows)
      ->enable_page_checksum();
  return properties;
}

BufferPtr WriteFile(const ArrayPtr& column, const FileCut& cut,
                    parquet::WriterProperties::Builder& properties) {
  const auto schema = arrow::schema({arrow::field("c", column->type(), cut.nullable)});
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  const auto status = parquet::arrow::WriteTable(
      *arrow::Table::Make(schema, {column}), arrow::default_memory_pool(), sink, cut.row_group_rows,
      properties.build(), parquet::ArrowWriterProperties::Builder().store_schema()->build());
  EXPECT_TRUE(status.ok()) << status;
  return sink->Finish().ValueOrDie();
}

std::unique_ptr<parquet::ParquetFileReader> OpenFile(const BufferPtr& bytes, bool checksums) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(checksums);
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes),
                                          properties);
}

arrow::Result<ArrayPtr> DecodeWithArrow(const BufferPtr& file, int row_group, bool checksums) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::FileReader::Make(
                                         arrow::default_memory_pool(), OpenFile(file, checksums),
                                         StoredFileReaderProperties()));
  ARROW_ASSIGN_OR_RAISE(auto table, reader->ReadRowGroup(row_group));
  const auto& column = table->column(0);
  if (column->num_chunks() == 0) return arrow::MakeEmptyArray(column->type());
  return arrow::Concatenate(column->chunks());
  END_PARQUET_CATCH_EXCEPTIONS
}

std::unique_ptr<parquet::PageReader> OpenPages(const BufferPtr& bytes,
                                               const parquet::ColumnChunkMetaData& chunk,
                                               const parquet::ColumnDescriptor& column,
                                               bool checksums) {
  const int64_t offset =
      chunk.has_dictionary_page() ? chunk.dictionary_page_offset() : chunk.data_page_offset();
  std::shared_ptr<arrow::io::InputStream> stream = std::make_shared<arrow::io::BufferReader>(
      arrow::SliceBuffer(bytes, offset, chunk.total_compressed_size()));
  if (checksums) stream = CheckPages(std::move(stream), chunk);
  return parquet::PageReader::Open(std::move(stream), chunk.num_values(), chunk.compression(),
                                   parquet::ReaderProperties(), column);
}

bool SameValues(const arrow::Array& a, const arrow::Array& b) {
  return a.Equals(b, arrow::EqualOptions::Defaults().nans_equal(true));
}

void ExpectTidy(const arrow::ArrayData& data) {
  const int64_t nulls = data.null_count.load();
  if (nulls == 0) {
    EXPECT_EQ(data.buffers[0], nullptr);
  } else {
    EXPECT_EQ(nulls, data.length - arrow::internal::CountSetBits(data.buffers[0]->data(),
                                                                 data.offset, data.length));
  }
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) continue;
    EXPECT_LE(buffer->capacity(), buffer->size() + buffer->size() / 10 + 192);
    EXPECT_EQ(buffer->address() % 64, 0U);
  }
  for (const auto& child : data.child_data) ExpectTidy(*child);
  const arrow::DataType* type = data.type.get();
  if (type->id() == arrow::Type::EXTENSION) {
    type = static_cast<const arrow::ExtensionType*>(type)->storage_type().get();
  }
  if (nulls == 0 || !arrow::is_fixed_width(*type) || type->id() == arrow::Type::BOOL) return;
  const int width = type->byte_width();
  for (int64_t i = 0; i < data.length; ++i) {
    const uint8_t* value = data.buffers[1]->data() + i * width;
    if (!data.IsNull(i)) continue;
    ASSERT_TRUE(std::all_of(value, value + width, [](uint8_t byte) { return byte == 0; }));
  }
}

void ExpectRows(ColumnDecoder& decoder, const ArrayPtr& expected, int64_t step, Random& random) {
  for (int64_t row = 0; row < expected->length();) {
    const int64_t left = expected->length() - row;
    if (step < left && Pick(random, 0, 3) == 0) {
      const int64_t skipped = Pick(random, 0, std::min(left, 3 * step));
      ASSERT_TRUE(decoder.Skip(skipped).ok());
      row += skipped;
      continue;
    }
    const int64_t rows = std::min(step, left);
    const auto arrays = decoder.Decode(rows);
    ASSERT_TRUE(arrays.ok()) << arrays.status();
    ASSERT_EQ(arrays->size(), 1U);
    const ArrayPtr& array = arrays->front();
    ASSERT_TRUE(array->ValidateFull().ok()) << array->ValidateFull();
    ASSERT_TRUE(array->type()->Equals(expected->type(), /*check_metadata=*/true));
    ASSERT_TRUE(SameValues(*array, *expected->Slice(row, rows)))
        << "rows " << row << " to " << row + rows;
    ExpectTidy(*array->data());
    row += rows;
  }
  EXPECT_FALSE(decoder.Decode(1).ok());
}

BufferPtr Damage(const BufferPtr& file, Random& random) {
  uint32_t footer_size = 0;
  std::memcpy(&footer_size, file->data() + file->size() - 8, sizeof(footer_size));
  const int64_t pages_end = file->size() - 8 - footer_size;
  std::string bytes = file->ToString();
  const auto at = static_cast<size_t>(Pick(random, 4, pages_end - 1));
  const auto place = static_cast<size_t>(Pick(random, 4, std::min<int64_t>(pages_end - 1, 100)));
  switch (Pick(random, 0, 3)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << Pick(random, 0, 7)));
      break;
    case 1:
      bytes[at] = static_cast<char>(Pick(random, 0, 255));
      break;
    case 2:  // The header of the first page, and its levels.
      bytes[place] = static_cast<char>(Pick(random, 0, 255));
      break;
    default:  // As if the rest of the pages had never been written.
      std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.begin() + pages_end, '\0');
      break;
  }
  return arrow::Buffer::FromString(std::move(bytes));
}

}  // namespace hangar::testing
