#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>
#include <parquet/types.h>

#include "decode/column_values.h"

namespace hangar {

/// How wide values are.
struct FixedWidth {
  parquet::Type::type physical = parquet::Type::INT32;
  int stored = 4;   ///< Bytes of a value in Parquet.
  int decoded = 4;  ///< Bytes of a value in Arrow: as many, or the low 1 or 2 of an INT32.
};

/// Values of a fixed number of bytes: numbers and FIXED_LEN_BYTE_ARRAY, in all of their encodings.
/// Gives one buffer.
std::unique_ptr<ColumnValues> MakeFixedValues(const FixedWidth& width, arrow::MemoryPool* pool);

/// BOOLEAN, in both of its encodings. Gives one buffer, of bits.
std::unique_ptr<ColumnValues> MakeBooleanValues(arrow::MemoryPool* pool);

}  // namespace hangar
