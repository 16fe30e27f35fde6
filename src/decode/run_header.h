#pragma once

#include <cstdint>

#include "decode/varint.h"

namespace hangar {

/// What begins a run of Parquet's hybrid of repeated and packed values.
/// https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
struct RunHeader {
  bool repeated = false;
  int64_t count = 0;  ///< Of repetitions, or of groups of eight packed values.
};

/// Reads a header from the bytes between `*data` and `end` and moves `*data` behind it. False where
/// there is none, or the bytes are malformed.
inline bool ReadRunHeader(const uint8_t** data, const uint8_t* end, RunHeader* header) {
  uint64_t number = 0;
  if (*data == end || !ReadVarint(data, end, &number) || number > UINT32_MAX) return false;
  *header = {.repeated = (number & 1) == 0, .count = static_cast<int64_t>(number >> 1)};
  return true;
}

}  // namespace hangar
