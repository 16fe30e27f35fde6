#include "write/write_settings.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include <arrow/memory_pool.h>
#include <arrow/util/compression.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using Codec = arrow::Compression;

struct NamedCodec {
  std::string_view name;
  Codec::type type;
};
constexpr NamedCodec kCodecs[] = {
    {"zstd", Codec::ZSTD}, {"snappy", Codec::SNAPPY}, {"lz4", Codec::LZ4},
    {"gzip", Codec::GZIP}, {"brotli", Codec::BROTLI}, {"none", Codec::UNCOMPRESSED},
};
// Level 1 is the fastest that still compresses well; Arrow's default is also 1 today.
constexpr int kZstdLevel = 1;
// What the pages that are open take in all, and their bounds. A dictionary that is being built
// takes some four times its page beside it, for its hash table and the indices.
constexpr int64_t kOpenColumnsBytes = 32LL << 20;
constexpr int64_t kOpenColumnBytesMin = 32LL << 10;
constexpr int64_t kOpenColumnBytesMax = 1LL << 20;

arrow::Result<Codec::type> FindCodec(const std::string& name) {
  for (const NamedCodec& codec : kCodecs) {
    if (codec.name == name) return codec.type;
  }
  return Error(ErrorKind::kInvalidArgument,
               "there is no codec {}; the codecs are zstd, snappy, lz4, gzip, brotli and none",
               Quoted(name));
}

arrow::Result<int> LevelFor(const WriteSettings& settings, Codec::type codec) {
  if (!settings.level) {
    return codec == Codec::ZSTD ? kZstdLevel : arrow::util::kUseDefaultCompressionLevel;
  }
  if (!arrow::util::Codec::SupportsCompressionLevel(codec)) {
    return Error(ErrorKind::kInvalidArgument, "the codec {} has no levels", settings.codec);
  }
  ARROW_ASSIGN_OR_RAISE(const int low, arrow::util::Codec::MinimumCompressionLevel(codec));
  ARROW_ASSIGN_OR_RAISE(const int high, arrow::util::Codec::MaximumCompressionLevel(codec));
  if (*settings.level < low || *settings.level > high) {
    return Error(ErrorKind::kInvalidArgument, "level {} is out of range: {} has levels {} to {}",
                 *settings.level, settings.codec, low, high);
  }
  return static_cast<int>(*settings.level);
}

}  // namespace

arrow::Result<std::shared_ptr<parquet::WriterProperties>> MakeWriterProperties(
    const WriteSettings& settings, int columns) {
  if (settings.row_group_rows < 1 ||
      settings.row_group_rows > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorKind::kInvalidArgument, "row_group_rows is {}; it must be 1 to {}",
                 settings.row_group_rows, std::numeric_limits<int32_t>::max());
  }
  ARROW_ASSIGN_OR_RAISE(const Codec::type codec, FindCodec(settings.codec));
  ARROW_ASSIGN_OR_RAISE(const int level, LevelFor(settings, codec));
  const int64_t open_column_bytes = std::clamp(kOpenColumnsBytes / std::max(columns, 1),
                                               kOpenColumnBytesMin, kOpenColumnBytesMax);
  parquet::WriterProperties::Builder builder;
  builder.version(parquet::ParquetVersion::PARQUET_2_LATEST)
      ->compression(codec)
      ->max_row_group_length(settings.row_group_rows)
      ->data_pagesize(open_column_bytes)
      ->dictionary_pagesize_limit(open_column_bytes)
      ->enable_page_checksum()
      ->enable_write_page_index()
      ->memory_pool(settings.pool != nullptr ? settings.pool : arrow::default_memory_pool());
  if (level != arrow::util::kUseDefaultCompressionLevel) builder.compression_level(level);
  return builder.build();
}

}  // namespace hangar
