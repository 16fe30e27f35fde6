#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace hangar {

/// The different values of a column chunk in the order in which they were first seen, numbered from
/// 0. Values are 32 or 64 bits, compared as bits: -0.0 and 0.0 are two values. Open addressing with
/// Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4). One thread at a time.
template <typename Bits>
class FixedDictionary {
 public:
  /// Numbers values until one would make more than `values_max` different ones. Returns how many
  /// were numbered.
  template <typename Value>
  int64_t Number(const Value* values, int64_t count, size_t values_max, uint32_t* numbers) {
    for (int64_t i = 0; i < count; ++i) {
      const auto value = std::bit_cast<Bits>(values[i]);
      size_t slot = Hash(value);
      uint32_t number = slots_[slot];
      while (number != kEmpty && values_[number] != value) {
        slot = (slot + 1) & (slots_.size() - 1);
        number = slots_[slot];
      }
      if (number == kEmpty) {
        if (values_.size() >= values_max) return i;
        number = static_cast<uint32_t>(values_.size());
        slots_[slot] = number;
        values_.push_back(value);
        if (values_.size() * 3 > slots_.size() * 2) Grow();
      }
      numbers[i] = number;
    }
    return count;
  }

  const std::vector<Bits>& values() const { return values_; }

  void Clear() {
    values_.clear();
    slots_.assign(slots_.size(), kEmpty);
  }

  /// As Clear, and gives the memory back.
  void Free() { *this = FixedDictionary(); }

 private:
  static constexpr uint32_t kEmpty = UINT32_MAX;
  static constexpr int kSlotBitsMin = 8;

  size_t Hash(Bits value) const {
    return static_cast<size_t>((uint64_t{value} * 0x9E3779B97F4A7C15U) >> (64 - slot_bits_));
  }

  void Grow() {
    ++slot_bits_;
    slots_.assign(size_t{1} << slot_bits_, kEmpty);
    for (size_t number = 0; number < values_.size(); ++number) {
      size_t slot = Hash(values_[number]);
      while (slots_[slot] != kEmpty) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = static_cast<uint32_t>(number);
    }
  }

  int slot_bits_ = kSlotBitsMin;
  std::vector<uint32_t> slots_ = std::vector<uint32_t>(size_t{1} << kSlotBitsMin, kEmpty);
  std::vector<Bits> values_;
};

/// The same for strings of bytes. They are kept as Parquet writes them to a dictionary page: each
/// after its length in four bytes.
class BytesDictionary {
 public:
  /// The number of `value`, which is added when it is new. kFull when it is new and there is no
  /// room for it in `bytes_max` bytes.
  uint32_t Number(std::string_view value, size_t bytes_max) {
    const uint64_t hash = Hash(value);
    const auto tag = static_cast<uint32_t>(hash);
    size_t slot = hash >> (64 - slot_bits_);
    while (slots_[slot].number != kFull) {
      if (slots_[slot].tag == tag && Value(slots_[slot].number) == value) {
        return slots_[slot].number;
      }
      slot = (slot + 1) & (slots_.size() - 1);
    }
    if (plain_.size() + sizeof(uint32_t) + value.size() > bytes_max) return kFull;
    const uint32_t number = Add(value);
    slots_[slot] = {.tag = tag, .number = number};
    if (ends_.size() * 3 > slots_.size() * 2) Grow();
    return number;
  }

  uint32_t size() const { return static_cast<uint32_t>(ends_.size()); }

  std::string_view Value(uint32_t number) const {
    const size_t begin = (number == 0 ? 0 : ends_[number - 1]) + sizeof(uint32_t);
    return {reinterpret_cast<const char*>(plain_.data()) + begin, ends_[number] - begin};
  }

  /// The values as a dictionary page holds them.
  const std::vector<uint8_t>& plain() const { return plain_; }

  void Clear() {
    plain_.clear();
    ends_.clear();
    slots_.assign(slots_.size(), Slot{});
  }

  void Free() { *this = BytesDictionary(); }

  static constexpr uint32_t kFull = UINT32_MAX;

 private:
  struct Slot {
    uint32_t tag = 0;  // The hash's low bits, so that few values are looked at in vain.
    uint32_t number = kFull;
  };
  static constexpr int kSlotBitsMin = 8;

  // Short strings are two words that may overlap, longer ones are taken word by word; each step
  // multiplies to 128 bits and folds, as wyhash does (https://github.com/wangyi-fudan/wyhash).
  static uint64_t Hash(std::string_view value) {
    const char* bytes = value.data();
    size_t length = value.size();
    uint64_t hash = Fold(length ^ 0x8BB84B93962EACC9U, 0x9E3779B97F4A7C15U);
    while (length > 16) {
      hash = Fold(hash ^ Load<uint64_t>(bytes), Load<uint64_t>(bytes + 8) ^ 0x2D358DCCAA6C78A5U);
      bytes += 16;
      length -= 16;
    }
    uint64_t first = 0;
    uint64_t last = 0;
    if (length >= 8) {
      first = Load<uint64_t>(bytes);
      last = Load<uint64_t>(bytes + length - 8);
    } else if (length >= 4) {
      first = Load<uint32_t>(bytes);
      last = Load<uint32_t>(bytes + length - 4);
    } else {
      for (size_t i = 0; i < length; ++i) first = first << 8 | static_cast<uint8_t>(bytes[i]);
    }
    return Fold(hash ^ first, last ^ 0x4B33A62ED433D4A3U);
  }

  template <typename Word>
  static Word Load(const char* bytes) {
    Word word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
  }

  static uint64_t Fold(uint64_t a, uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  uint32_t Add(std::string_view value) {
    const auto length = static_cast<uint32_t>(value.size());
    const auto* length_bytes = reinterpret_cast<const uint8_t*>(&length);
    plain_.insert(plain_.end(), length_bytes, length_bytes + sizeof(length));
    plain_.insert(plain_.end(), value.begin(), value.end());
    ends_.push_back(plain_.size());
    return static_cast<uint32_t>(ends_.size() - 1);
  }

  void Grow() {
    ++slot_bits_;
    slots_.assign(size_t{1} << slot_bits_, Slot{});
    for (uint32_t number = 0; number < size(); ++number) {
      const uint64_t hash = Hash(Value(number));
      size_t slot = hash >> (64 - slot_bits_);
      while (slots_[slot].number != kFull) slot = (slot + 1) & (slots_.size() - 1);
      slots_[slot] = {.tag = static_cast<uint32_t>(hash), .number = number};
    }
  }

  int slot_bits_ = kSlotBitsMin;
  std::vector<Slot> slots_ = std::vector<Slot>(size_t{1} << kSlotBitsMin);
  std::vector<uint8_t> plain_;
  std::vector<size_t> ends_;  // In plain_.
};

}  // namespace hangar
