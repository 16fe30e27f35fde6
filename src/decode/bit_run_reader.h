#pragma once

#include <cstdint>

namespace hangar {

/// Reads values of one bit in Parquet's encodings of them, run after run: the hybrid of repeated
/// and packed values (definition levels, booleans that are RLE) and plain packed bits.
/// https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
///
/// Does not own the bytes and never reads beyond them, whatever they are.
class BitRunReader {
 public:
  /// At its end.
  BitRunReader() = default;

  static BitRunReader Hybrid(const uint8_t* data, int64_t size);
  static BitRunReader Packed(const uint8_t* data, int64_t size);

  /// Whether the next `count` (> 0) values are ones by one run alone; if so they are passed over.
  bool SkipOnes(int64_t count);

  /// Copies the next `count` values to `bits`, the first one to bit `offset`; bits before that
  /// stay, those behind the last one in its byte are zeroed. Gives how many of them are ones, or -1
  /// where the bytes end before or are malformed.
  int64_t Read(int64_t count, uint8_t* bits, int64_t offset);

  /// Passes over the next `count` values; gives the same.
  int64_t Skip(int64_t count);

 private:
  bool BeginRun();
  uint64_t LoadPacked(int64_t count) const;

  const uint8_t* data_ = nullptr;
  const uint8_t* end_ = nullptr;
  // What is left of the run that was begun: repetitions of a value, or bits of a bitmap.
  int64_t length_ = 0;
  bool repeated_ = false;
  bool value_ = false;
  const uint8_t* packed_ = nullptr;
  int64_t packed_offset_ = 0;
};

}  // namespace hangar
