#include "decode/checked_page_stream.h"

#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

namespace hangar {
namespace {

using arrow::Compression;

constexpr int64_t kPageBytes = 8 << 20;

const std::vector<Compression::type> kCodecs = {Compression::SNAPPY, Compression::GZIP,
                                                Compression::BROTLI, Compression::ZSTD,
                                                Compression::LZ4};

// A file of one column of zeros in one page of kPageBytes: what compresses best.
std::shared_ptr<arrow::Buffer> FileOfZeros(Compression::type codec) {
  arrow::Int64Builder zeros;
  EXPECT_TRUE(zeros.AppendEmptyValues(kPageBytes / 8).ok());
  const auto field = arrow::field("c", arrow::int64(), /*nullable=*/false);
  const auto table = arrow::Table::Make(arrow::schema({field}), {zeros.Finish().ValueOrDie()});
  parquet::WriterProperties::Builder properties;
  properties.compression(codec)
      ->disable_dictionary()
      ->data_pagesize(2 * kPageBytes)
      ->max_rows_per_page(kPageBytes);
  const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink,
                                         table->num_rows(), properties.build())
                  .ok());
  return sink->Finish().ValueOrDie();
}

// The pages of `chunk_bytes`, which stand for the only chunk of a file.
std::unique_ptr<parquet::PageReader> OpenPages(const parquet::FileMetaData& metadata,
                                               std::shared_ptr<arrow::Buffer> chunk_bytes,
                                               arrow::MemoryPool* pool) {
  const auto chunk = metadata.RowGroup(0)->ColumnChunk(0);
  return parquet::PageReader::Open(
      CheckPages(std::make_shared<arrow::io::BufferReader>(std::move(chunk_bytes)), *chunk),
      chunk->num_values(), chunk->compression(), parquet::ReaderProperties(pool),
      *metadata.schema()->Column(0));
}

std::shared_ptr<parquet::FileMetaData> MetadataOf(const std::shared_ptr<arrow::Buffer>& file) {
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(file))
      ->metadata();
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  return bytes + static_cast<char>(value);
}

// A data page of version 1 that claims these sizes and holds `body`.
std::string Page(uint32_t uncompressed_bytes, const std::string& body) {
  return std::string("\x15\x00\x15", 3) + Varint(2ULL * uncompressed_bytes) + '\x15' +
         Varint(2 * body.size()) + std::string("\x2c\x15\x10\x15\x00\x15\x06\x15\x06\x00\x00", 11) +
         body;
}

TEST(CheckedPageStream, GivesPagesThatWereCompressedAsMuchAsTheCodecCan) {
  for (const auto codec : kCodecs) {
    const auto file = FileOfZeros(codec);
    const auto metadata = MetadataOf(file);
    const auto chunk = metadata->RowGroup(0)->ColumnChunk(0);
    const auto bytes =
        arrow::SliceBuffer(file, chunk->data_page_offset(), chunk->total_compressed_size());
    const auto page = OpenPages(*metadata, bytes, arrow::default_memory_pool())->NextPage();
    ASSERT_NE(page, nullptr);
    EXPECT_EQ(page->size(), kPageBytes);
  }
}

TEST(CheckedPageStream, TakesNoMemoryForWhatAPageOnlyClaims) {
  for (const auto codec : kCodecs) {
    const auto metadata = MetadataOf(FileOfZeros(codec));
    for (const uint32_t claim : {uint32_t{kPageBytes} + (1 << 20), 1u << 30, 0x7FFFFFFFu}) {
      arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
      const auto pages =
          OpenPages(*metadata, arrow::Buffer::FromString(Page(claim, "abcd")), &pool);
      EXPECT_THROW(pages->NextPage(), parquet::ParquetException);
      EXPECT_LT(pool.max_memory(), 1 << 20);
    }
  }
}

TEST(CheckedPageStream, TakesNoMemoryForMoreThanTheCodecCanMakeOfThePage) {
  // The footer allows it, four bytes of these codecs cannot be it.
  for (const auto codec :
       {Compression::SNAPPY, Compression::GZIP, Compression::ZSTD, Compression::LZ4}) {
    const auto metadata = MetadataOf(FileOfZeros(codec));
    arrow::ProxyMemoryPool pool(arrow::default_memory_pool());
    const auto pages =
        OpenPages(*metadata, arrow::Buffer::FromString(Page(kPageBytes, "abcd")), &pool);
    EXPECT_THROW(pages->NextPage(), parquet::ParquetException);
    EXPECT_LT(pool.max_memory(), 1 << 20);
  }
}

TEST(CheckedPageStream, GivesAPageWithoutCodecWhateverItClaims) {
  const auto metadata = MetadataOf(FileOfZeros(Compression::UNCOMPRESSED));
  const auto pages = OpenPages(*metadata, arrow::Buffer::FromString(Page(1 << 30, "abcd")),
                               arrow::default_memory_pool());
  // It has the bytes that it has, no others are made room for.
  EXPECT_EQ(pages->NextPage()->size(), 4);
}

}  // namespace
}  // namespace hangar
