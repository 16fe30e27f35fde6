#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

// Bitmaps, 64 bits at a time. The first bit is the lowest one of a word, as of a bitmap's bytes.

namespace hangar {

inline uint64_t LowBits(int64_t count) {
  return count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

/// The `count` (0 to 64) bits from bit `offset` on, zeros behind them. Reads no byte of the bitmap
/// that holds none of them.
inline uint64_t LoadBits(const uint8_t* bits, int64_t offset, int64_t count) {
  const uint8_t* const from = bits + offset / 8;
  const int shift = static_cast<int>(offset % 8);
  uint64_t word = 0;
  if (count == 64) {
    std::memcpy(&word, from, sizeof(word));
    return shift == 0 ? word : word >> shift | static_cast<uint64_t>(from[8]) << (64 - shift);
  }
  if (count == 0) return 0;
  uint8_t bytes[9] = {};
  std::memcpy(bytes, from, static_cast<size_t>(shift + count + 7) / 8);
  std::memcpy(&word, bytes, sizeof(word));
  if (shift > 0) word = word >> shift | static_cast<uint64_t>(bytes[8]) << (64 - shift);
  return word & LowBits(count);
}

/// Writes a bitmap, up to 64 bits at a time, and counts the ones among them.
class BitAppender {
 public:
  /// Bits before bit `offset` stay.
  BitAppender(uint8_t* bits, int64_t offset)
      : out_(bits + offset / 8), filled_(static_cast<int>(offset % 8)) {
    if (filled_ > 0) word_ = *out_ & LowBits(filled_);
    ones_ = -std::popcount(word_);
  }

  /// `bits` has zeros behind the first `count` (1 to 64).
  void Append(uint64_t bits, int64_t count) {
    word_ |= bits << filled_;
    const int filled = filled_ + static_cast<int>(count);
    if (filled < 64) {
      filled_ = filled;
      return;
    }
    ones_ += std::popcount(word_);
    std::memcpy(out_, &word_, sizeof(word_));
    out_ += sizeof(word_);
    word_ = filled_ == 0 ? 0 : bits >> (64 - filled_);
    filled_ = filled - 64;
  }

  /// Writes the last bits, and zeros behind them in their byte. Gives how many ones were appended.
  int64_t Finish() {
    if (filled_ > 0) std::memcpy(out_, &word_, static_cast<size_t>(filled_ + 7) / 8);
    return ones_ + std::popcount(word_);
  }

 private:
  uint8_t* out_;
  int filled_;  // Bits of the word.
  uint64_t word_ = 0;
  int64_t ones_ = 0;
};

}  // namespace hangar
