#include "encode/hybrid_encoding.h"

#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace hangar {
namespace {

constexpr int64_t kGroup = 8;
// A run costs a header and makes what stood before it end; below so many groups it does not pay.
constexpr int64_t kRunGroupsMin = 2;
constexpr int64_t kBitRunGroupsMin = 16;

void AppendVarint(uint64_t value, std::vector<uint8_t>* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<uint8_t>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<uint8_t>(value));
}

// Eight values as `kBits` bytes. With the width known the loop unrolls into shifts.
template <int kBits>
void PackGroup(const uint32_t* values, uint8_t* out) {
  std::array<uint64_t, 5> words{};
  for (size_t i = 0; i < 8; ++i) {
    const size_t bit = i * kBits;
    words[bit / 64] |= uint64_t{values[i]} << (bit % 64);
    if (bit % 64 + kBits > 64) words[bit / 64 + 1] |= uint64_t{values[i]} >> (64 - bit % 64);
  }
  std::memcpy(out, words.data(), kBits);
}

template <int kBits>
void PackGroups(const uint32_t* values, int64_t groups, uint8_t* out) {
  for (int64_t i = 0; i < groups; ++i) {
    PackGroup<kBits>(values + i * kGroup, out);
    out += kBits;
  }
}

using Pack = void (*)(const uint32_t*, int64_t, uint8_t*);

template <int... kBits>
constexpr std::array<Pack, sizeof...(kBits)> PackTable(std::integer_sequence<int, kBits...>) {
  return {&PackGroups<kBits>...};
}
constexpr auto kPack = PackTable(std::make_integer_sequence<int, 33>());

void AppendPacked(const uint32_t* values, int64_t count, int bit_width, std::vector<uint8_t>* out) {
  if (count == 0) return;
  const int64_t groups = (count + kGroup - 1) / kGroup;
  AppendVarint(static_cast<uint64_t>(groups) << 1 | 1, out);
  const size_t begin = out->size();
  out->resize(begin + static_cast<size_t>(groups * bit_width));
  const Pack pack = kPack[static_cast<size_t>(bit_width)];
  const int64_t whole = count / kGroup;
  pack(values, whole, out->data() + begin);
  if (whole < groups) {
    std::array<uint32_t, kGroup> last{};
    std::memcpy(last.data(), values + whole * kGroup,
                static_cast<size_t>(count - whole * kGroup) * sizeof(uint32_t));
    pack(last.data(), 1, out->data() + begin + whole * bit_width);
  }
}

bool IsRunOfGroup(const uint32_t* values) {
  uint32_t difference = 0;
  for (int64_t i = 1; i < kGroup; ++i) difference |= values[i] ^ values[0];
  return difference == 0;
}

void AppendPackedBytes(const uint8_t* bytes, int64_t groups, std::vector<uint8_t>* out) {
  if (groups == 0) return;
  AppendVarint(static_cast<uint64_t>(groups) << 1 | 1, out);
  out->insert(out->end(), bytes, bytes + groups);
}

}  // namespace

int BitWidth(uint32_t max) { return std::bit_width(max); }

void AppendHybridRun(uint32_t value, int64_t count, int bit_width, std::vector<uint8_t>* out) {
  AppendVarint(static_cast<uint64_t>(count) << 1, out);
  for (int bit = 0; bit < bit_width; bit += 8) out->push_back(static_cast<uint8_t>(value >> bit));
}

void AppendHybrid(const uint32_t* values, int64_t count, int bit_width, std::vector<uint8_t>* out) {
  int64_t packed_from = 0;
  int64_t i = 0;
  while (i + kGroup <= count) {
    if (!IsRunOfGroup(values + i)) {
      i += kGroup;
      continue;
    }
    int64_t end = i + kGroup;
    while (end < count && values[end] == values[i]) ++end;
    if (end - i < kRunGroupsMin * kGroup && end < count) {
      i += kGroup;
      continue;
    }
    AppendPacked(values + packed_from, i - packed_from, bit_width, out);
    AppendHybridRun(values[i], end - i, bit_width, out);
    i = packed_from = end;
  }
  AppendPacked(values + packed_from, count - packed_from, bit_width, out);
}

void AppendHybridBits(const uint8_t* bits, int64_t count, std::vector<uint8_t>* out) {
  const int64_t whole = count / kGroup;
  int64_t packed_from = 0;
  int64_t i = 0;
  while (i < whole) {
    if (bits[i] != 0x00 && bits[i] != 0xFF) {
      ++i;
      continue;
    }
    int64_t end = i + 1;
    while (end < whole && bits[end] == bits[i]) ++end;
    if (end - i >= kBitRunGroupsMin) {
      AppendPackedBytes(bits + packed_from, i - packed_from, out);
      AppendHybridRun(bits[i] & 1, (end - i) * kGroup, 1, out);
      packed_from = end;
    }
    i = end;
  }
  AppendPackedBytes(bits + packed_from, (count + kGroup - 1) / kGroup - packed_from, out);
}

}  // namespace hangar
