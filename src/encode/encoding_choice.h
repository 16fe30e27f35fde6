#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <arrow/util/compression.h>

namespace parquet {
class ColumnDescriptor;
}

namespace hangar {

/// How the values of a Parquet column are written.
enum class ColumnEncoding {
  kPlain,
  kDictionary,  ///< RLE_DICTIONARY; kPlain for the rest of a chunk whose values become too many.
  kDelta,       ///< DELTA_BINARY_PACKED of integers, DELTA_BYTE_ARRAY of strings.
  kByteStreamSplit,  ///< BYTE_STREAM_SPLIT of values of a fixed width.
};

/// By its name in commands: "plain", "dictionary", "delta" or "byte_stream_split". INVALID_ARGUMENT
/// for another, naming it and the column.
arrow::Result<ColumnEncoding> ParseColumnEncoding(const std::string& name,
                                                  const std::string& column);
std::string ColumnEncodingName(ColumnEncoding encoding);

/// Whether Parquet allows the encoding for the column's physical type.
bool Fits(ColumnEncoding encoding, const parquet::ColumnDescriptor& column);

/// A codec and its level.
struct ColumnCodec {
  arrow::Compression::type type = arrow::Compression::UNCOMPRESSED;
  int level = arrow::util::kUseDefaultCompressionLevel;
};

/// How one Parquet column is encoded and compressed.
struct EncodingChoice {
  ColumnEncoding encoding = ColumnEncoding::kPlain;
  /// What a chunk after one whose dictionary became too large is written in.
  ColumnEncoding without_dictionary = ColumnEncoding::kPlain;
  ColumnCodec codec;
};

/// What is known and what is wanted before a column is looked at.
struct EncodingWish {
  std::optional<ColumnEncoding> encoding;  ///< Absent: to be chosen.
  std::optional<ColumnCodec> codec;        ///< Absent: to be chosen.
  int64_t row_group_rows = 1 << 20;        ///< Rows of a row group, about.
  int64_t dictionary_bytes_max = 1 << 20;  ///< Of a dictionary page.
};

/// Chooses from the first values of a column: those of its leaves in storage type, which are
/// `rows` rows of the table. What each candidate would take is measured on up to 8 Ki values; of a
/// dictionary it is estimated from the different values among up to 32 Ki. The choice is the least
/// of size and time together, see the .cc. The same values always give the same choice. Arrays must
/// be valid in full. Thread-safe.
arrow::Result<EncodingChoice> ChooseEncoding(
    const parquet::ColumnDescriptor& column,
    const std::vector<std::shared_ptr<arrow::Array>>& leaves, int64_t rows,
    const EncodingWish& wish);

}  // namespace hangar
