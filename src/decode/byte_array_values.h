#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "decode/column_values.h"

namespace hangar {

struct ByteArrayOptions {
  bool large = false;                   ///< Offsets of 64 bits.
  double row_bytes_guess = 0;           ///< What a row takes, as far as the file says.
  int64_t array_bytes_max = INT64_MAX;  ///< The values of one array; longer ones make several.
};

/// BYTE_ARRAY, in all of its encodings. Gives offsets and bytes.
std::unique_ptr<ColumnValues> MakeByteArrayValues(const ByteArrayOptions& options,
                                                  arrow::MemoryPool* pool);

}  // namespace hangar
