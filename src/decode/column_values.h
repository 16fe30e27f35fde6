#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>
#include <parquet/types.h>

namespace hangar {

/// The part of a data page behind its levels. The bytes belong to the page.
struct PageValues {
  parquet::Encoding::type encoding = parquet::Encoding::PLAIN;
  int64_t count_max = 0;  ///< The page's rows (levels, in lists); null ones have no value.
  const uint8_t* data = nullptr;
  int64_t size = 0;
};

/// Rows that follow each other in one page.
struct PageRows {
  int64_t rows = 0;
  int64_t present = 0;                ///< Those that are not null: so many values.
  const uint8_t* validity = nullptr;  ///< A bit a row; nullptr where all are present.
  int64_t validity_offset = 0;        ///< The first row's bit in it.
};

/// Buffers of one array behind that of its validity.
struct ValueBuffers {
  int64_t rows = 0;
  std::vector<std::shared_ptr<arrow::Buffer>> buffers;
};

/// Decodes the values of one column's pages into the buffers of Arrow arrays: what a column decoder
/// has one of for each column. A row is what the array has a place for: an item, in lists. All
/// bytes come from strangers and are checked. May throw Parquet's exceptions. Unusable after an
/// error.
///
///   SetDictionary, if there is one; then for each array: Begin, Append..., Finish; in between a
///   SetPage for each page, and Skip.
class ColumnValues {
 public:
  virtual ~ColumnValues() = default;

  /// The values of the dictionary page, PLAIN. The bytes are copied as far as they are needed.
  virtual arrow::Status SetDictionary(int64_t count, const uint8_t* data, int64_t size) = 0;

  /// The page that is read from now on; its bytes must stay until the next one is set.
  virtual arrow::Status SetPage(const PageValues& page) = 0;

  /// Passes over so many values (not rows) of the page.
  virtual arrow::Status Skip(int64_t values) = 0;

  /// Makes room for `rows` rows.
  virtual arrow::Status Begin(int64_t rows) = 0;

  /// Makes room for `rows` rows in all since Begin, which are more than there was room for.
  virtual arrow::Status Grow(int64_t rows) = 0;

  /// Adds the page's next rows, zeros (or nothing) for those that are null.
  virtual arrow::Status Append(const PageRows& rows) = 0;

  /// What was added since Begin: one set of buffers, or several where one array cannot hold it.
  virtual arrow::Result<std::vector<ValueBuffers>> Finish() = 0;
};

}  // namespace hangar
