#include "decode/make_column_values.h"

#include <algorithm>
#include <optional>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/size_statistics.h>

#include "decode/byte_array_values.h"
#include "decode/fixed_values.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;

// The type without its extension: what its bytes are.
const arrow::DataType& StorageOf(const arrow::DataType& type) {
  if (type.id() != arrow::Type::EXTENSION) return type;
  return *checked_cast<const arrow::ExtensionType&>(type).storage_type();
}

// How wide the values are if they are numbers or of fixed length, and can be given as `type`.
std::optional<FixedWidth> FixedWidthOf(const parquet::ColumnDescriptor& column,
                                       const arrow::DataType& type) {
  const parquet::Type::type physical = column.physical_type();
  const auto width = [&](parquet::Type::type wanted, int stored,
                         int decoded) -> std::optional<FixedWidth> {
    if (physical != wanted) return std::nullopt;
    return FixedWidth{.physical = physical, .stored = stored, .decoded = decoded};
  };
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
      return width(parquet::Type::INT32, 4, 1);
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
      return width(parquet::Type::INT32, 4, 2);
    case arrow::Type::INT32:
    case arrow::Type::UINT32:
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return width(parquet::Type::INT32, 4, 4);
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::TIME64:
    case arrow::Type::DURATION:
      return width(parquet::Type::INT64, 8, 8);
    case arrow::Type::FLOAT:
      return width(parquet::Type::FLOAT, 4, 4);
    case arrow::Type::DOUBLE:
      return width(parquet::Type::DOUBLE, 8, 8);
    case arrow::Type::FIXED_SIZE_BINARY: {
      const int length = checked_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      if (length < 1 || length != column.type_length()) return std::nullopt;
      return width(parquet::Type::FIXED_LEN_BYTE_ARRAY, length, length);
    }
    default:
      return std::nullopt;
  }
}

bool IsByteArray(const arrow::DataType& type) { return arrow::is_base_binary_like(type.id()); }

bool IsKnownEncoding(parquet::Encoding::type encoding) {
  switch (encoding) {
    case parquet::Encoding::PLAIN:
    case parquet::Encoding::PLAIN_DICTIONARY:
    case parquet::Encoding::RLE_DICTIONARY:
    case parquet::Encoding::RLE:
    case parquet::Encoding::BIT_PACKED:  // Of levels.
    case parquet::Encoding::DELTA_BINARY_PACKED:
    case parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY:
    case parquet::Encoding::DELTA_BYTE_ARRAY:
    case parquet::Encoding::BYTE_STREAM_SPLIT:
      return true;
    default:
      return false;
  }
}

// What a value of byte arrays takes, nulls included, as far as the writer says.
double ValueBytesGuess(const parquet::ColumnChunkMetaData& chunk) {
  const auto sizes = chunk.size_statistics();
  const int64_t bytes = sizes != nullptr && sizes->unencoded_byte_array_data_bytes
                            ? *sizes->unencoded_byte_array_data_bytes
                            : chunk.total_uncompressed_size();
  return std::max(static_cast<double>(bytes), 0.0) /
         static_cast<double>(std::max<int64_t>(chunk.num_values(), 1));
}

}  // namespace

bool CanDecodeValues(const parquet::ColumnDescriptor& column,
                     const parquet::ColumnChunkMetaData& chunk, const arrow::DataType& type) {
  if (!std::ranges::all_of(chunk.encodings(), IsKnownEncoding)) return false;
  const arrow::DataType& storage = StorageOf(type);
  if (storage.id() == arrow::Type::BOOL) return column.physical_type() == parquet::Type::BOOLEAN;
  if (IsByteArray(storage)) return column.physical_type() == parquet::Type::BYTE_ARRAY;
  return FixedWidthOf(column, storage).has_value();
}

arrow::Result<std::unique_ptr<ColumnValues>> MakeColumnValues(
    const parquet::ColumnDescriptor& column, const parquet::ColumnChunkMetaData& chunk,
    const arrow::DataType& type, arrow::MemoryPool* pool) {
  BEGIN_PARQUET_CATCH_EXCEPTIONS
  const arrow::DataType& storage = StorageOf(type);
  if (storage.id() == arrow::Type::BOOL) return MakeBooleanValues(pool);
  if (IsByteArray(storage)) {
    return MakeByteArrayValues({.large = arrow::is_large_binary_like(storage.id()),
                                .row_bytes_guess = ValueBytesGuess(chunk)},
                               pool);
  }
  if (const auto width = FixedWidthOf(column, storage)) return MakeFixedValues(*width, pool);
  return arrow::Status::NotImplemented("decoding this column as ", type.ToString());
  END_PARQUET_CATCH_EXCEPTIONS
}

}  // namespace hangar
