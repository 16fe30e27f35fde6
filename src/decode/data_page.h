#pragma once

#include <cstdint>

#include <arrow/result.h>

#include "decode/column_values.h"

namespace parquet {
class DataPage;
}

namespace hangar {

/// Levels as they stand in a data page, without what says how long they are.
struct EncodedLevels {
  const uint8_t* data = nullptr;
  int64_t size = 0;
  bool packed = false;  ///< Plain packed bits, the encoding of old; else the hybrid one.
};

/// What a data page is made of. The bytes belong to the page.
struct DataPageParts {
  EncodedLevels repetition;  ///< None where the column has no such levels;
  EncodedLevels definition;  ///< here as well.
  PageValues values;
};

/// Splits a page of either version of a column with these highest levels. IOError where its parts
/// reach beyond its end.
arrow::Result<DataPageParts> SplitDataPage(const parquet::DataPage& page, int max_repetition_level,
                                           int max_definition_level);

}  // namespace hangar
