#include "decode/data_page.h"

#include <bit>
#include <cstring>

#include <arrow/status.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/checked_cast.h>
#include <parquet/column_page.h>

namespace hangar {
namespace {

using arrow::internal::checked_cast;

arrow::Status CutOff() { return arrow::Status::IOError("levels are cut off"); }

// The levels at the beginning of what is left of a page of version 1; `rest` is moved behind them.
arrow::Result<EncodedLevels> TakeLevels(parquet::Encoding::type encoding, int max_level,
                                        PageValues* rest) {
  EncodedLevels levels;
  int64_t size_bytes = 0;
  if (encoding == parquet::Encoding::RLE) {
    int32_t size = 0;
    size_bytes = sizeof(size);
    if (rest->size < size_bytes) return CutOff();
    std::memcpy(&size, rest->data, sizeof(size));
    levels.size = size;
  } else if (encoding == parquet::Encoding::BIT_PACKED) {
    levels.packed = true;
    levels.size = arrow::bit_util::BytesForBits(rest->count_max *
                                                std::bit_width(static_cast<uint32_t>(max_level)));
  } else {
    return arrow::Status::IOError("levels in an unknown encoding");
  }
  if (levels.size < 0 || levels.size > rest->size - size_bytes) return CutOff();
  levels.data = rest->data + size_bytes;
  rest->data = levels.data + levels.size;
  rest->size -= size_bytes + levels.size;
  return levels;
}

}  // namespace

arrow::Result<DataPageParts> SplitDataPage(const parquet::DataPage& page, int max_repetition_level,
                                           int max_definition_level) {
  DataPageParts parts;
  parts.values = {.encoding = page.encoding(),
                  .count_max = page.num_values(),
                  .data = page.data(),
                  .size = page.size()};
  if (page.num_values() < 0) return arrow::Status::IOError("a page has too few values");
  if (page.type() == parquet::PageType::DATA_PAGE_V2) {
    const auto& v2 = checked_cast<const parquet::DataPageV2&>(page);
    const int64_t repetition = v2.repetition_levels_byte_length();
    const int64_t definition = v2.definition_levels_byte_length();
    if (repetition < 0 || definition < 0 || repetition + definition > page.size()) {
      return arrow::Status::IOError("levels reach beyond the end of their page");
    }
    // What the column has no levels for is passed over as well.
    if (max_repetition_level > 0) parts.repetition = {.data = page.data(), .size = repetition};
    if (max_definition_level > 0) {
      parts.definition = {.data = page.data() + repetition, .size = definition};
    }
    parts.values.data += repetition + definition;
    parts.values.size -= repetition + definition;
    return parts;
  }
  const auto& v1 = checked_cast<const parquet::DataPageV1&>(page);
  if (max_repetition_level > 0) {
    ARROW_ASSIGN_OR_RAISE(parts.repetition, TakeLevels(v1.repetition_level_encoding(),
                                                       max_repetition_level, &parts.values));
  }
  if (max_definition_level > 0) {
    ARROW_ASSIGN_OR_RAISE(parts.definition, TakeLevels(v1.definition_level_encoding(),
                                                       max_definition_level, &parts.values));
  }
  return parts;
}

}  // namespace hangar
