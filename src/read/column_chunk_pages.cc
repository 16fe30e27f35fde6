#include "read/column_chunk_pages.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <arrow/io/interfaces.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "catalog/footer.h"
#include "decode/checked_page_stream.h"
#include "decode/column_chunk_stream.h"

namespace hangar {
namespace {

// What chunks of old files can be longer than their footer says.
constexpr int64_t kUncountedHeaderBytes = 100;

// Where a column chunk begins: at its dictionary page if it has one.
int64_t OffsetOf(const parquet::ColumnChunkMetaData& chunk) {
  const int64_t data = chunk.data_page_offset();
  if (!chunk.has_dictionary_page() || chunk.dictionary_page_offset() <= 0) return data;
  return std::min(data, chunk.dictionary_page_offset());
}

}  // namespace

ByteRun RunOf(const parquet::FileMetaData& file, const parquet::ColumnChunkMetaData& chunk,
              int64_t file_bytes) {
  const int64_t begin = OffsetOf(chunk);
  int64_t bytes = chunk.total_compressed_size();
  // Before that version the header of a dictionary page was not counted (PARQUET-816).
  if (file.writer_version().VersionLt(parquet::ApplicationVersion::PARQUET_816_FIXED_VERSION())) {
    bytes += std::min(kUncountedHeaderBytes, file_bytes - begin - bytes);
  }
  return {.begin = begin, .end = begin + bytes};
}

std::unique_ptr<parquet::PageReader> OpenColumnChunkPages(std::shared_ptr<ObjectReader> reader,
                                                          const parquet::FileMetaData& file,
                                                          const parquet::ColumnChunkMetaData& chunk,
                                                          const parquet::ColumnDescriptor& column,
                                                          arrow::MemoryPool* pool) {
  if (chunk.crypto_metadata() != nullptr) {
    throw parquet::ParquetException("the column is encrypted");
  }
  const parquet::ApplicationVersion& writer = file.writer_version();
  // Before that version page headers said of compressed pages that they were not (ARROW-17100).
  const bool always_compressed =
      writer.VersionLt(parquet::ApplicationVersion::PARQUET_CPP_10353_FIXED_VERSION());
  const ByteRun run = RunOf(file, chunk, reader->info().size_bytes);
  auto stream = OpenColumnChunkStream(std::move(reader), run.begin, run.end - run.begin, pool);
  // The stream verifies page checksums, several times as fast as Parquet's reader.
  parquet::ReaderProperties properties = StoredFileProperties(pool);
  properties.set_page_checksum_verification(false);
  return parquet::PageReader::Open(CheckPages(std::move(stream), chunk), chunk.num_values(),
                                   chunk.compression(), properties, column, always_compressed);
}

}  // namespace hangar
