#include "read/stored_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "catalog/object_file.h"
#include "decode/arrow_column_decoder.h"
#include "decode/checked_page_stream.h"
#include "decode/column_chunk_stream.h"
#include "decode/column_decoder.h"
#include "decode/flat_column_decoder.h"
#include "decode/nested_column_decoder.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

// Column chunks of a row group with more compressed bytes than this are not held whole by Arrow's
// reader but read through small buffers, one a column.
constexpr int64_t kRowGroupHeldBytesMax = 64LL * 1024 * 1024;
constexpr int64_t kColumnBufferBytes = 256 * 1024;

std::array<uint64_t, 2> HashOfVersion(const std::string& version) {
  const XXH128_hash_t hash = XXH3_128bits(version.data(), version.size());
  return {hash.low64, hash.high64};
}

int64_t LargestRowGroupBytes(const parquet::FileMetaData& metadata) {
  int64_t largest = 0;
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    const auto row_group = metadata.RowGroup(i);
    int64_t bytes = 0;
    for (int column = 0; column < row_group->num_columns(); ++column) {
      bytes += row_group->ColumnChunk(column)->total_compressed_size();
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

// Where a column chunk begins: at its dictionary page if it has one.
int64_t OffsetOf(const parquet::ColumnChunkMetaData& chunk) {
  const int64_t data = chunk.data_page_offset();
  if (!chunk.has_dictionary_page() || chunk.dictionary_page_offset() <= 0) return data;
  return std::min(data, chunk.dictionary_page_offset());
}

// Writers whose files Parquet's own reader has to make allowances for when it opens a column chunk
// (the sizes of PARQUET-816); so old that it may do so itself.
bool HasWrongChunkSizes(const parquet::FileMetaData& metadata) {
  return metadata.writer_version().VersionLt(
      parquet::ApplicationVersion::PARQUET_816_FIXED_VERSION());
}

}  // namespace

StoredFile::StoredFile(OpenSnapshot snapshot, std::shared_ptr<const FileLayout> layout,
                       arrow::MemoryPool* pool)
    : snapshot_(std::move(snapshot)),
      layout_(std::move(layout)),
      pool_(pool),
      version_(HashOfVersion(snapshot_.snapshot.object.version)) {}

StoredFile::~StoredFile() = default;

std::shared_ptr<StoredFile> StoredFile::Make(OpenSnapshot snapshot,
                                             std::shared_ptr<const FileLayout> layout,
                                             arrow::MemoryPool* pool) {
  return std::shared_ptr<StoredFile>(new StoredFile(std::move(snapshot), std::move(layout), pool));
}

int64_t StoredFile::RowsOf(int row_group) const {
  return footer().metadata->RowGroup(row_group)->num_rows();
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenColumnChunk(int row_group,
                                                                          int field) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  ARROW_ASSIGN_OR_RAISE(auto decoder, OpenWithoutArrow(row_group, field));
  if (decoder != nullptr) return decoder;
  return OpenWithArrow(row_group, field);
  END_PARQUET_CATCH_EXCEPTIONS
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenWithoutArrow(int row_group,
                                                                           int field) {
  const parquet::FileMetaData& metadata = *footer().metadata;
  if (HasWrongChunkSizes(metadata)) return nullptr;
  const auto row_group_metadata = metadata.RowGroup(row_group);
  std::vector<std::unique_ptr<parquet::ColumnChunkMetaData>> chunks;
  std::vector<LeafColumn> leaves;
  for (const int leaf : layout().leaves_of_fields[static_cast<size_t>(field)]) {
    chunks.push_back(row_group_metadata->ColumnChunk(leaf));
    if (chunks.back()->crypto_metadata() != nullptr) return nullptr;
    leaves.push_back({.column = metadata.schema()->Column(leaf), .chunk = chunks.back().get()});
  }
  const auto& type = footer().read_schema->field(field)->type();
  const int64_t rows = row_group_metadata->num_rows();
  if (leaves.size() == 1 && CanDecodeFlat(*leaves[0].column, *leaves[0].chunk, *type)) {
    return MakeFlatColumnDecoder(OpenPages(leaves[0]), *leaves[0].column, *leaves[0].chunk, type,
                                 rows, pool_);
  }
  const parquet::schema::Node& node = *metadata.schema()->group_node()->field(field);
  if (!CanDecodeNested(node, leaves, type)) return nullptr;
  std::vector<std::unique_ptr<parquet::PageReader>> pages;
  for (const LeafColumn& leaf : leaves) pages.push_back(OpenPages(leaf));
  return MakeNestedColumnDecoder(std::move(pages), node, leaves, type, rows, pool_);
}

std::unique_ptr<parquet::PageReader> StoredFile::OpenPages(const LeafColumn& leaf) const {
  const parquet::ColumnChunkMetaData& chunk = *leaf.chunk;
  // Before that version page headers said of compressed pages that they were not (ARROW-17100).
  const bool always_compressed = footer().metadata->writer_version().VersionLt(
      parquet::ApplicationVersion::PARQUET_CPP_10353_FIXED_VERSION());
  auto bytes = OpenColumnChunkStream(snapshot_.reader, OffsetOf(chunk),
                                     chunk.total_compressed_size(), pool_);
  // The stream verifies page checksums, several times as fast as Parquet's reader.
  parquet::ReaderProperties properties = StoredFileProperties(pool_);
  properties.set_page_checksum_verification(false);
  return parquet::PageReader::Open(CheckPages(std::move(bytes)), chunk.num_values(),
                                   chunk.compression(), properties, *leaf.column,
                                   always_compressed);
}

arrow::Result<std::unique_ptr<ColumnDecoder>> StoredFile::OpenWithArrow(int row_group, int field) {
  MutexLock lock(opening_);
  if (arrow_reader_ == nullptr) {
    parquet::ReaderProperties properties = StoredFileProperties(pool_);
    if (LargestRowGroupBytes(*footer().metadata) > kRowGroupHeldBytesMax) {
      properties.enable_buffered_stream();
      properties.set_buffer_size(kColumnBufferBytes);
    }
    parquet::ArrowReaderProperties arrow_properties = StoredFileReaderProperties();
    // Reading ahead into memory that lives as long as the reader would hold a whole scan.
    arrow_properties.set_pre_buffer(false);
    arrow_properties.set_batch_size(layout().segment_rows);
    ARROW_ASSIGN_OR_RAISE(arrow_reader_,
                          parquet::arrow::FileReader::Make(
                              pool_,
                              parquet::ParquetFileReader::Open(OpenAsFile(snapshot_.reader, pool_),
                                                               properties, footer().metadata),
                              arrow_properties));
  }
  ARROW_ASSIGN_OR_RAISE(auto batches,
                        arrow_reader_->GetRecordBatchReader(
                            {row_group}, layout().leaves_of_fields[static_cast<size_t>(field)]));
  return MakeArrowColumnDecoder(shared_from_this(), std::move(batches));
}

}  // namespace hangar
