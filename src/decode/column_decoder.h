#pragma once

#include <cstdint>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace hangar {

/// Decodes one field's column chunk of one row group, from its first row on. One thread at a time.
/// Statuses hold Parquet's words; they are for the log. After an error every call gives it again.
class ColumnDecoder {
 public:
  virtual ~ColumnDecoder() = default;

  /// Passes over the next `rows` rows. What is wrong with them may show only later, or never.
  virtual arrow::Status Skip(int64_t rows) = 0;

  /// The next `rows` rows in the type that is stored, in one or more arrays.
  virtual arrow::Result<arrow::ArrayVector> Decode(int64_t rows) = 0;
};

}  // namespace hangar
