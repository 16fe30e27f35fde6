#include "catalog/footer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <vector>

#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/stored_schemas.h"
#include "schema/schema_metadata.h"

namespace hangar {
namespace {

// The first read. Small, because a listing reads as many as there are datasets: with 64 KiB it
// would read small files whole.
constexpr int64_t kTailBytes = 8 * 1024;
// The magic number at either end and the footer's length before the last one; see the format's
// description, https://parquet.apache.org/docs/file-format/.
constexpr std::string_view kMagic = "PAR1";
constexpr int64_t kTrailerBytes = 8;
constexpr int64_t kFileBytesMin = 12;
// A footer takes about 100 bytes for each column chunk: this allows about a million of them.
constexpr int64_t kFooterBytesMax = 128LL * 1024 * 1024;
// Thrift's structures in memory are some times larger than their encoding; measured 4 to 8 times.
constexpr int64_t kMemoryPerFooterByte = 8;
constexpr int32_t kThriftStringBytesMax = 64 * 1024 * 1024;
constexpr int32_t kThriftContainersMax = 1'000'000;

arrow::Status NotServable(const ObjectInfo& object, std::string_view why) {
  return Error(ErrorKind::kDataLoss, "{} is not a Parquet file that can be served: {}",
               Quoted(object.key), why);
}

// The footer's bytes, without the trailer.
arrow::Result<std::string> ReadFooterBytes(ObjectReader& reader) {
  const ObjectInfo& object = reader.info();
  const int64_t size = object.size_bytes;
  if (size < kFileBytesMin) return NotServable(object, "it is too short");
  std::string tail(static_cast<size_t>(std::min(size, kTailBytes)), '\0');
  const auto tail_bytes = static_cast<int64_t>(tail.size());
  ARROW_RETURN_NOT_OK(reader.ReadAt(size - tail_bytes, tail_bytes, tail.data()));
  if (tail.ends_with("PARE")) return NotServable(object, "its footer is encrypted");
  if (!tail.ends_with(kMagic)) {
    return NotServable(object, "it does not end as one (cut short, or of another format)");
  }
  uint32_t length_little_endian = 0;
  std::memcpy(&length_little_endian, tail.data() + tail_bytes - kTrailerBytes, 4);
  static_assert(std::endian::native == std::endian::little);
  const int64_t length = length_little_endian;
  if (length == 0 || length > size - kFileBytesMin) {
    return NotServable(object, "its footer's length is wrong");
  }
  if (length > kFooterBytesMax) return NotServable(object, "its footer is larger than 128 MiB");
  if (length + kTrailerBytes <= tail_bytes) {
    return tail.substr(static_cast<size_t>(tail_bytes - kTrailerBytes - length),
                       static_cast<size_t>(length));
  }
  std::string footer(static_cast<size_t>(length), '\0');
  ARROW_RETURN_NOT_OK(reader.ReadAt(size - kTrailerBytes - length, length, footer.data()));
  return footer;
}

arrow::Result<std::shared_ptr<parquet::FileMetaData>> ParseFooter(const ObjectInfo& object,
                                                                  const std::string& bytes) {
  try {
    auto length = static_cast<uint32_t>(bytes.size());
    return parquet::FileMetaData::Make(bytes.data(), &length,
                                       StoredFileProperties(arrow::default_memory_pool()));
  } catch (const std::exception&) {
    return NotServable(object, "its footer is damaged");
  }
}

// A footer can be well-formed and lie; what the read path relies on is checked here, once.
// `columns_end` is where the footer begins.
arrow::Status CheckRowGroups(const ObjectInfo& object, const parquet::FileMetaData& metadata,
                             int64_t columns_end) {
  int64_t rows = 0;
  for (int i = 0; i < metadata.num_row_groups(); ++i) {
    const auto row_group = metadata.RowGroup(i);
    if (row_group->num_rows() < 0 || row_group->num_columns() != metadata.num_columns()) {
      return NotServable(object, "its row groups do not fit its schema");
    }
    if (__builtin_add_overflow(rows, row_group->num_rows(), &rows)) {
      return NotServable(object, "its row counts are wrong");
    }
    if (row_group->num_rows() == 0) continue;  // Never read; its offsets mean nothing.
    for (int column = 0; column < row_group->num_columns(); ++column) {
      const auto chunk = row_group->ColumnChunk(column);
      if (!chunk->file_path().empty()) {
        return NotServable(object, "it keeps columns in other files");
      }
      int64_t begin = chunk->data_page_offset();
      if (chunk->has_dictionary_page() && chunk->dictionary_page_offset() > 0) {
        begin = std::min(begin, chunk->dictionary_page_offset());
      }
      if (begin < static_cast<int64_t>(kMagic.size()) || chunk->total_compressed_size() < 0 ||
          chunk->total_compressed_size() > columns_end - begin) {
        return NotServable(object, "its columns lie outside the file");
      }
    }
  }
  if (rows != metadata.num_rows()) return NotServable(object, "its row counts do not add up");
  return arrow::Status::OK();
}

std::string UploadIdOf(const parquet::FileMetaData& metadata) {
  const auto& pairs = metadata.key_value_metadata();
  const int position = pairs == nullptr ? -1 : pairs->FindKey(kUploadIdKey);
  return position < 0 ? std::string() : pairs->value(position);
}

}  // namespace

arrow::Result<std::shared_ptr<const Footer>> ReadFooter(ObjectReader& reader,
                                                        StoredSchemas& schemas) {
  const ObjectInfo& object = reader.info();
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, ReadFooterBytes(reader));
  ARROW_ASSIGN_OR_RAISE(auto metadata, ParseFooter(object, bytes));
  auto footer = std::make_shared<Footer>();
  footer->upload_id = UploadIdOf(*metadata);
  arrow::Result<StoredSchemas::Read> read;
  try {
    const int64_t columns_end =
        object.size_bytes - kTrailerBytes - static_cast<int64_t>(bytes.size());
    ARROW_RETURN_NOT_OK(CheckRowGroups(object, *metadata, columns_end));
    read = schemas.Of(std::move(metadata));
  } catch (const std::exception&) {
    return NotServable(object, "its footer is damaged");
  }
  if (!read.ok()) return NotServable(object, "its schema has no Arrow counterpart");

  footer->logical_schema = read->schema->logical_schema;
  footer->read_schema = read->schema->read_schema;
  footer->ipc_schema = read->schema->ipc_schema;
  footer->metadata = std::move(read->footer);
  footer->rows = footer->metadata->num_rows();
  footer->row_groups = footer->metadata->num_row_groups();
  footer->unread_bytes = static_cast<int64_t>(bytes.size()) - footer->metadata->size();
  footer->memory_bytes = kMemoryPerFooterByte * static_cast<int64_t>(bytes.size());
  return footer;
}

arrow::Result<std::shared_ptr<const Footer>> ReadFooter(ObjectReader& reader) {
  StoredSchemas schemas;
  return ReadFooter(reader, schemas);
}

parquet::ReaderProperties StoredFileProperties(arrow::MemoryPool* pool) {
  parquet::ReaderProperties properties(pool);
  properties.set_page_checksum_verification(true);
  properties.set_thrift_string_size_limit(kThriftStringBytesMax);
  properties.set_thrift_container_size_limit(kThriftContainersMax);
  return properties;
}

}  // namespace hangar
