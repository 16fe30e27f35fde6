#pragma once

#include <cstdint>

namespace hangar {

/// Reads definition or repetition levels into bytes, from the encodings that Parquet has of them:
/// the hybrid of repeated and packed values, and plain packed bits.
/// https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
///
/// Does not own the encoded bytes and never reads beyond them, whatever they are.
class LevelReader {
 public:
  /// At its end.
  LevelReader() = default;

  /// `max_level` (1 to 255) says how many bits a level has; levels above it may come all the same.
  static LevelReader Hybrid(const uint8_t* data, int64_t size, int max_level);
  static LevelReader Packed(const uint8_t* data, int64_t size, int max_level);

  /// The next `count` levels. False where the bytes end before or are malformed.
  bool Read(int64_t count, uint8_t* levels);

 private:
  static constexpr int kGroup = 8;  // Values that are packed together, in `width_` bytes.

  bool BeginRun();
  void Unpack(int64_t groups, uint8_t* levels);
  int64_t ReadPacked(int64_t count, uint8_t* levels);

  const uint8_t* data_ = nullptr;
  const uint8_t* end_ = nullptr;
  int width_ = 1;
  // What is left of the run that was begun: repetitions of a value, or packed ones.
  int64_t length_ = 0;
  bool repeated_ = false;
  uint8_t value_ = 0;
  // The group that was begun, when its values are not all read yet.
  uint8_t group_[kGroup] = {};
  int group_left_ = 0;
};

}  // namespace hangar
