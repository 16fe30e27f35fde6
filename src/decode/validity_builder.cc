#include "decode/validity_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include "decode/bit_words.h"

namespace hangar {

namespace {

// A bit for each of up to 64 levels: whether it is at least `level`, the first one's in the lowest
// bit. All of them are at most 127.
uint64_t BitsAtLeast(const uint8_t* levels, int64_t count, int level) {
  constexpr uint64_t kOnes = 0x0101'0101'0101'0101;
  constexpr uint64_t kHighBits = kOnes << 7;
  // Brings the lowest bit of byte i to bit 56 + i, and nothing else beside it.
  constexpr uint64_t kGather = 0x0102'0408'1020'4080;
  const uint64_t subtrahend = kOnes * static_cast<uint64_t>(level);
  const auto bits_of_eight = [&](uint64_t eight) {
    // The high bit of a byte keeps its difference from borrowing, and stays where it is not needed.
    const uint64_t at_least = ((eight | kHighBits) - subtrahend) & kHighBits;
    return (at_least >> 7) * kGather >> 56;
  };
  uint64_t bits = 0;
  uint64_t eight = 0;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    std::memcpy(&eight, levels + i, sizeof(eight));
    bits |= bits_of_eight(eight) << i;
  }
  if (i < count) {
    eight = 0;
    std::memcpy(&eight, levels + i, static_cast<size_t>(count - i));
    bits |= bits_of_eight(eight) << i;
  }
  return bits & LowBits(count);
}

}  // namespace

int64_t CountAtLeast(const uint8_t* levels, int64_t count, int level) {
  constexpr int64_t kPart = 128;  // Sums that fit a byte: the loop takes as many bytes at a time.
  int64_t sum = 0;
  for (int64_t begin = 0; begin < count; begin += kPart) {
    const int64_t end = std::min(begin + kPart, count);
    uint8_t part = 0;
    for (int64_t i = begin; i < end; ++i) {
      part = static_cast<uint8_t>(part + (levels[i] >= level ? 1 : 0));
    }
    sum += part;
  }
  return sum;
}

void ValidityBuilder::Begin(int64_t slots) {
  bits_ = nullptr;
  room_ = slots;
  length_ = 0;
  null_count_ = 0;
}

const uint8_t* ValidityBuilder::bits() const { return bits_ == nullptr ? nullptr : bits_->data(); }

// Room in the bitmap, which is made if there is none yet, for so many slots in all.
arrow::Status ValidityBuilder::Reserve(int64_t slots) {
  if (slots > room_) room_ = std::max(slots, room_ + room_ / 2);
  const int64_t bytes = arrow::bit_util::BytesForBits(room_);
  if (bits_ != nullptr) {
    return bytes > bits_->size() ? bits_->Resize(bytes, /*shrink_to_fit=*/false)
                                 : arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(bits_, arrow::AllocateResizableBuffer(bytes, pool_));
  bits_->mutable_data()[length_ / 8] = 0;
  arrow::bit_util::SetBitsTo(bits_->mutable_data(), 0, length_, true);
  return arrow::Status::OK();
}

arrow::Result<int64_t> ValidityBuilder::Append(const uint8_t* levels, int64_t count,
                                               int valid_level) {
  const int64_t valid = CountAtLeast(levels, count, valid_level);
  if (count > 0 && (valid < count || bits_ != nullptr)) {
    ARROW_RETURN_NOT_OK(Reserve(length_ + count));
    BitAppender appender(bits_->mutable_data(), length_);
    for (int64_t i = 0; i < count; i += 64) {
      const int64_t part = std::min<int64_t>(count - i, 64);
      appender.Append(BitsAtLeast(levels + i, part, valid_level), part);
    }
    appender.Finish();
  }
  length_ += count;
  null_count_ += count - valid;
  return valid;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> ValidityBuilder::Finish() {
  if (bits_ == nullptr) return nullptr;
  ARROW_RETURN_NOT_OK(bits_->Resize(arrow::bit_util::BytesForBits(length_)));
  bits_->ZeroPadding();
  return std::exchange(bits_, nullptr);
}

}  // namespace hangar
