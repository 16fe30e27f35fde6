#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>
#include <parquet/types.h>

#include "decode/column_values.h"
#include "decode/dictionary_indices.h"

namespace hangar {

/// Reads values of a fixed number of bytes from one page.
class FixedReader {
 public:
  virtual ~FixedReader() = default;

  /// The next `count` values, one behind the other. An error if there are fewer.
  virtual arrow::Status Read(int64_t count, uint8_t* out) = 0;

  /// Passes over the next `count` values.
  virtual arrow::Status Skip(int64_t count) = 0;
};

/// The values of a dictionary page.
struct FixedDictionary {
  int64_t count = 0;
  std::shared_ptr<arrow::Buffer> values;
};

/// A reader of this page of values of `width` bytes each. `dictionary` (null if there is none) and
/// `indices` must outlive it. May throw Parquet's exceptions.
arrow::Result<std::unique_ptr<FixedReader>> OpenFixedPage(const PageValues& page,
                                                          parquet::Type::type physical,
                                                          int64_t width,
                                                          const FixedDictionary* dictionary,
                                                          DictionaryIndices* indices);

}  // namespace hangar
