#pragma once

#include <cstdint>
#include <vector>

namespace hangar {

// Parquet's hybrid of runs and bit-packed groups of eight
// (https://parquet.apache.org/docs/file-format/data-pages/encodings/, "RLE"), which holds
// definition levels and dictionary indices.

/// The bits that numbers up to `max` take; 0 for 0.
int BitWidth(uint32_t max);

/// Appends `values`, each below 2^`bit_width`, to `out`. `bit_width` is 0 to 32.
void AppendHybrid(const uint32_t* values, int64_t count, int bit_width, std::vector<uint8_t>* out);

/// Appends `count` values of one bit each, the first one in the lowest bit of `bits[0]`, to `out`.
/// The bits behind the last value are zero.
void AppendHybridBits(const uint8_t* bits, int64_t count, std::vector<uint8_t>* out);

/// Appends `count` times the value, which has `bit_width` bits.
void AppendHybridRun(uint32_t value, int64_t count, int bit_width, std::vector<uint8_t>* out);

}  // namespace hangar
