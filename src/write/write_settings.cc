#include "write/write_settings.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include <arrow/util/compression.h>
#include <parquet/schema.h>

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
constexpr char kCodecOfALevel[] = "zstd";
// Level 1 is the fastest that still compresses well; Arrow's default is also 1 today.
constexpr int kZstdLevel = 1;

// What the pages that are open take in all, and what the dictionaries do, and their bounds. A
// dictionary takes as much again for its hash table.
constexpr int64_t kOpenPagesBytes = 32LL << 20;
constexpr int64_t kOpenDictionariesBytes = 64LL << 20;
constexpr int64_t kOpenBytesMin = 32LL << 10;
constexpr int64_t kOpenBytesMax = 1LL << 20;

int64_t ShareOf(int64_t bytes, int columns) {
  return std::clamp(bytes / std::max(columns, 1), kOpenBytesMin, kOpenBytesMax);
}

arrow::Result<Codec::type> FindCodec(const std::string& name) {
  for (const NamedCodec& codec : kCodecs) {
    if (codec.name == name) return codec.type;
  }
  return Error(ErrorKind::kInvalidArgument,
               "there is no codec {}; the codecs are zstd, snappy, lz4, gzip, brotli and none",
               Quoted(name));
}

arrow::Result<int> LevelFor(const std::optional<int64_t>& level, const std::string& name,
                            Codec::type codec) {
  if (!level) return codec == Codec::ZSTD ? kZstdLevel : arrow::util::kUseDefaultCompressionLevel;
  if (!arrow::util::Codec::SupportsCompressionLevel(codec)) {
    return Error(ErrorKind::kInvalidArgument, "the codec {} has no levels", name);
  }
  ARROW_ASSIGN_OR_RAISE(const int low, arrow::util::Codec::MinimumCompressionLevel(codec));
  ARROW_ASSIGN_OR_RAISE(const int high, arrow::util::Codec::MaximumCompressionLevel(codec));
  if (*level < low || *level > high) {
    return Error(ErrorKind::kInvalidArgument, "level {} is out of range: {} has levels {} to {}",
                 *level, name, low, high);
  }
  return static_cast<int>(*level);
}

arrow::Result<std::optional<ColumnCodec>> CodecOf(const WriteSettings& settings) {
  if (!settings.codec && !settings.level) return std::nullopt;
  const std::string name = settings.codec.value_or(kCodecOfALevel);
  ColumnCodec codec;
  ARROW_ASSIGN_OR_RAISE(codec.type, FindCodec(name));
  ARROW_ASSIGN_OR_RAISE(codec.level, LevelFor(settings.level, name, codec.type));
  return codec;
}

bool IsNamed(const parquet::ColumnDescriptor& column, const std::string& name) {
  const auto path = column.path();
  return path->ToDotString() == name || path->ToDotVector().front() == name;
}

arrow::Status SetEncoding(const std::string& name, ColumnEncoding encoding,
                          const parquet::SchemaDescriptor& columns,
                          std::vector<LeafSettings>* leaves) {
  bool found = false;
  for (int i = 0; i < columns.num_columns(); ++i) {
    const parquet::ColumnDescriptor& column = *columns.Column(i);
    if (!IsNamed(column, name)) continue;
    found = true;
    if (!Fits(encoding, column)) {
      return Error(ErrorKind::kInvalidArgument,
                   "the encoding of the column {} cannot be {}: Parquet has it for other types",
                   Quoted(name), ColumnEncodingName(encoding));
    }
    (*leaves)[static_cast<size_t>(i)].wish.encoding = encoding;
  }
  if (found) return arrow::Status::OK();
  return Error(ErrorKind::kInvalidArgument,
               "an encoding is given for the column {}, which the table does not have",
               Quoted(name));
}

// Parquet's settings go by path, and names may repeat: columns of one path get all the same.
void SettleRepeatedPaths(const parquet::SchemaDescriptor& columns,
                         std::vector<LeafSettings>* leaves) {
  std::map<std::string, std::vector<size_t>> by_path;
  for (size_t i = 0; i < leaves->size(); ++i) {
    by_path[columns.Column(static_cast<int>(i))->path()->ToDotString()].push_back(i);
  }
  for (const auto& [path, same] : by_path) {
    if (same.size() == 1) continue;
    for (const size_t i : same) {
      EncodingWish& wish = (*leaves)[i].wish;
      wish.encoding = ColumnEncoding::kPlain;
      if (!wish.codec) wish.codec = ColumnCodec{.type = Codec::LZ4};
    }
  }
}

}  // namespace

arrow::Status CheckSettings(const WriteSettings& settings) {
  if (settings.row_group_rows < 1 ||
      settings.row_group_rows > std::numeric_limits<int32_t>::max()) {
    return Error(ErrorKind::kInvalidArgument, "row_group_rows is {}; it must be 1 to {}",
                 settings.row_group_rows, std::numeric_limits<int32_t>::max());
  }
  return CodecOf(settings).status();
}

arrow::Result<std::vector<LeafSettings>> SettingsOfLeaves(
    const WriteSettings& settings, const parquet::SchemaDescriptor& columns) {
  ARROW_RETURN_NOT_OK(CheckSettings(settings));
  const int count = columns.num_columns();
  LeafSettings common{.page_bytes = ShareOf(kOpenPagesBytes, count)};
  ARROW_ASSIGN_OR_RAISE(common.wish.codec, CodecOf(settings));
  common.wish.row_group_rows = settings.row_group_rows;
  common.wish.dictionary_bytes_max = ShareOf(kOpenDictionariesBytes, count);
  std::vector<LeafSettings> leaves(static_cast<size_t>(count), common);
  for (const auto& [name, encoding_name] : settings.encodings) {
    ARROW_ASSIGN_OR_RAISE(const ColumnEncoding encoding, ParseColumnEncoding(encoding_name, name));
    ARROW_RETURN_NOT_OK(SetEncoding(name, encoding, columns, &leaves));
  }
  SettleRepeatedPaths(columns, &leaves);
  return leaves;
}

}  // namespace hangar
