#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "decode/bit_words.h"
#include "decode/column_values.h"

namespace hangar {

/// The validity of up to 64 rows from row `row` on, the first in the lowest bit; zeros behind the
/// last.
inline uint64_t ValidityWord(const PageRows& rows, int64_t row) {
  return LoadBits(rows.validity, rows.validity_offset + row,
                  std::min<int64_t>(rows.rows - row, 64));
}

/// Moves the values of present rows from the end of the rows' room, where they stand one behind the
/// other, to their places, and zeroes the others. `T` is the unsigned type of a
/// value's width.
template <typename T>
void SpreadValues(const PageRows& rows, T* out) {
  const T* next = out + (rows.rows - rows.present);
  for (int64_t row = 0; row < rows.rows; row += 64) {
    const uint64_t word = ValidityWord(rows, row);
    const int64_t count = std::min<int64_t>(rows.rows - row, 64);
    T* const to = out + row;
    if (std::popcount(word) == count) {
      std::memmove(to, next, static_cast<size_t>(count) * sizeof(T));
      next += count;
      continue;
    }
    // Behind the last present row there may be nothing more to read.
    const int64_t end = 64 - std::countl_zero(word);
    for (int64_t i = 0; i < end; ++i) {
      const auto present = static_cast<int64_t>(word >> i & 1);
      to[i] = *next & static_cast<T>(-present);
      next += present;
    }
    std::memset(to + end, 0, static_cast<size_t>(count - end) * sizeof(T));
  }
}

}  // namespace hangar
