#include "decode/delta_reader.h"

#include <algorithm>
#include <cstring>

#include "decode/varint.h"

namespace hangar {
namespace {

// The format's own rules for the counts in a header.
constexpr uint64_t kBlockMultiple = 128;
constexpr uint64_t kMiniblockMultiple = 32;
constexpr uint64_t kBlockValuesMax = UINT32_MAX;

arrow::Status Malformed() { return arrow::Status::IOError("malformed delta encoding"); }

// The 64 bits from bit `bit` on, zeros behind `end`.
uint64_t LoadBits(const uint8_t* data, const uint8_t* end, int64_t bit) {
  uint8_t bytes[9] = {};
  data += bit / 8;
  std::memcpy(bytes, data, static_cast<size_t>(std::clamp<int64_t>(end - data, 0, 9)));
  uint64_t low = 0;
  std::memcpy(&low, bytes, sizeof(low));
  const int shift = static_cast<int>(bit % 8);
  return shift == 0 ? low : low >> shift | static_cast<uint64_t>(bytes[8]) << (64 - shift);
}

}  // namespace

template <typename T>
arrow::Result<DeltaReader<T>> DeltaReader<T>::Open(const uint8_t* data, int64_t size,
                                                   int64_t values_max) {
  DeltaReader reader;
  reader.data_ = data;
  reader.end_ = data + size;
  // Some writers leave out everything where a page holds nulls only.
  if (size == 0) return reader;
  uint64_t block_values = 0;
  uint64_t miniblocks = 0;
  uint64_t values = 0;
  uint64_t first = 0;
  if (!ReadVarint(&reader.data_, reader.end_, &block_values) ||
      !ReadVarint(&reader.data_, reader.end_, &miniblocks) ||
      !ReadVarint(&reader.data_, reader.end_, &values) ||
      !ReadVarint(&reader.data_, reader.end_, &first)) {
    return Malformed();
  }
  if (block_values == 0 || block_values > kBlockValuesMax || block_values % kBlockMultiple != 0 ||
      miniblocks == 0 || miniblocks > block_values || block_values / miniblocks == 0 ||
      (block_values / miniblocks) % kMiniblockMultiple != 0) {
    return Malformed();
  }
  if (values > static_cast<uint64_t>(values_max)) {
    return arrow::Status::IOError("a delta encoding holds more values than its page");
  }
  reader.values_left_ = static_cast<int64_t>(values);
  reader.values_per_miniblock_ = static_cast<int64_t>(block_values / miniblocks);
  reader.miniblocks_per_block_ = static_cast<int64_t>(miniblocks);
  reader.last_ = static_cast<uint64_t>(FromZigzag(first));
  return reader;
}

template <typename T>
arrow::Status DeltaReader<T>::BeginBlock() {
  uint64_t min_delta = 0;
  if (!ReadVarint(&data_, end_, &min_delta) || end_ - data_ < miniblocks_per_block_) {
    return Malformed();
  }
  min_delta_ = static_cast<uint64_t>(FromZigzag(min_delta));
  widths_ = data_;
  miniblocks_left_ = miniblocks_per_block_;
  data_ += miniblocks_per_block_;
  return arrow::Status::OK();
}

template <typename T>
arrow::Status DeltaReader<T>::BeginMiniblock() {
  if (miniblocks_left_ == 0) ARROW_RETURN_NOT_OK(BeginBlock());
  --miniblocks_left_;
  width_ = *widths_++;
  if (width_ > static_cast<int>(sizeof(T) * 8) || end_ - data_ < MiniblockBytes(width_)) {
    return Malformed();
  }
  miniblock_ = data_;
  miniblock_bit_ = 0;
  miniblock_left_ = values_per_miniblock_;
  data_ += MiniblockBytes(width_);
  return arrow::Status::OK();
}

// Of the miniblock that was begun, which holds as many.
template <typename T>
void DeltaReader<T>::Unpack(int64_t count, T* out) {
  uint64_t last = last_;
  const uint64_t min_delta = min_delta_;
  const int width = width_;
  const uint64_t mask = width == 64 ? ~uint64_t{0} : (uint64_t{1} << width) - 1;
  int64_t bit = miniblock_bit_;
  int64_t i = 0;
  if (width == 0) {
    for (; i < count; ++i) out[i] = static_cast<T>(last += min_delta);
  } else if (width <= 57) {
    // Eight bytes hold any value of that width, and reading them stays before the end for all
    // values but those at it.
    const int64_t safe_bits = (end_ - miniblock_ - 8) * 8;
    for (; i < count && bit <= safe_bits; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, miniblock_ + bit / 8, sizeof(word));
      last += min_delta + (word >> (bit % 8) & mask);
      out[i] = static_cast<T>(last);
      bit += width;
    }
  }
  for (; i < count; ++i) {
    last += min_delta + (LoadBits(miniblock_, end_, bit) & mask);
    out[i] = static_cast<T>(last);
    bit += width;
  }
  last_ = last;
  miniblock_bit_ = bit;
  miniblock_left_ -= count;
}

template <typename T>
arrow::Status DeltaReader<T>::Read(int64_t count, T* out) {
  if (count > values_left_) return arrow::Status::IOError("too few values in a delta encoding");
  values_left_ -= count;
  if (first_ && count > 0) {
    first_ = false;
    *out++ = static_cast<T>(last_);
    --count;
  }
  while (count > 0) {
    if (miniblock_left_ == 0) ARROW_RETURN_NOT_OK(BeginMiniblock());
    const int64_t unpacked = std::min(count, miniblock_left_);
    Unpack(unpacked, out);
    out += unpacked;
    count -= unpacked;
  }
  return arrow::Status::OK();
}

template <typename T>
arrow::Result<const uint8_t*> DeltaReader<T>::FindEnd() const {
  DeltaReader hopping = *this;
  int64_t left = values_left_ - (first_ && values_left_ > 0 ? 1 : 0) - miniblock_left_;
  while (left > 0) {
    ARROW_RETURN_NOT_OK(hopping.BeginMiniblock());
    left -= values_per_miniblock_;
  }
  return hopping.data_;
}

template class DeltaReader<int32_t>;
template class DeltaReader<int64_t>;

}  // namespace hangar
