#pragma once

#include <cstdint>

namespace hangar {

/// Reads an unsigned LEB128 number from the bytes between `*data` and `end` and moves `*data`
/// behind it. False, with `*data` anywhere in between, where the bytes end early or hold more than
/// 64 bits.
inline bool ReadVarint(const uint8_t** data, const uint8_t* end, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && *data != end; shift += 7) {
    const uint64_t byte = *(*data)++;
    const uint64_t bits = byte & 0x7F;
    if (shift == 63 && bits > 1) return false;
    *value |= bits << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// The signed number that zigzag encoding made `value` of.
inline int64_t FromZigzag(uint64_t value) {
  return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

}  // namespace hangar
