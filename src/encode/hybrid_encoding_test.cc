#include "encode/hybrid_encoding.h"

#include <random>

#include <gtest/gtest.h>

namespace hangar {
namespace {

// A plain reading of the format's description.
std::vector<uint32_t> Decode(const std::vector<uint8_t>& bytes, int bit_width, size_t count) {
  std::vector<uint32_t> values;
  size_t at = 0;
  while (values.size() < count && at < bytes.size()) {
    uint64_t header = 0;
    for (int shift = 0;; shift += 7) {
      header |= uint64_t{bytes[at] & 0x7FU} << shift;
      if (bytes[at++] < 0x80) break;
    }
    if ((header & 1) == 0) {
      uint32_t value = 0;
      for (int bit = 0; bit < bit_width; bit += 8) value |= uint32_t{bytes[at++]} << bit;
      values.insert(values.end(), header >> 1, value);
      continue;
    }
    const size_t packed = (header >> 1) * 8;
    for (size_t i = 0; i < packed; ++i) {
      uint32_t value = 0;
      for (int bit = 0; bit < bit_width; ++bit) {
        const size_t position = i * static_cast<size_t>(bit_width) + static_cast<size_t>(bit);
        value |= uint32_t{bytes[at + position / 8] >> (position % 8) & 1U} << bit;
      }
      values.push_back(value);
    }
    at += (header >> 1) * static_cast<size_t>(bit_width);
  }
  EXPECT_EQ(at, bytes.size());
  EXPECT_LT(values.size(), count + 8);
  values.resize(count);
  return values;
}

// Runs of random lengths among values that vary.
std::vector<uint32_t> SomeValues(size_t count, int bit_width, std::mt19937& random) {
  const uint32_t mask = bit_width == 32 ? UINT32_MAX : (uint32_t{1} << bit_width) - 1;
  std::vector<uint32_t> values;
  while (values.size() < count) {
    const size_t run = random() % 3 == 0 ? random() % 60 : 1;
    values.insert(values.end(), run, static_cast<uint32_t>(random()) & mask);
  }
  values.resize(count);
  return values;
}

TEST(HybridEncoding, ValuesOfEveryWidthComeBack) {
  std::mt19937 random(1);
  for (int bit_width = 0; bit_width <= 32; ++bit_width) {
    for (const size_t count : {0, 1, 7, 8, 9, 63, 64, 1000, 1003}) {
      const auto values = SomeValues(count, bit_width, random);
      std::vector<uint8_t> bytes;
      AppendHybrid(values.data(), static_cast<int64_t>(count), bit_width, &bytes);
      EXPECT_EQ(Decode(bytes, bit_width, count), values) << bit_width << " bits, " << count;
    }
  }
}

TEST(HybridEncoding, BitsComeBackAndLongRunsAreShort) {
  std::mt19937 random(2);
  for (const size_t count : {1, 8, 77, 1000, 4099}) {
    const auto values = SomeValues(count, 1, random);
    std::vector<uint8_t> bits((count + 7) / 8);
    for (size_t i = 0; i < count; ++i) {
      bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | values[i] << (i % 8));
    }
    std::vector<uint8_t> bytes;
    AppendHybridBits(bits.data(), static_cast<int64_t>(count), &bytes);
    EXPECT_EQ(Decode(bytes, 1, count), values);
  }
  const std::vector<uint8_t> ones(100'000, 0xFF);
  std::vector<uint8_t> bytes;
  AppendHybridBits(ones.data(), 800'000, &bytes);
  EXPECT_LT(bytes.size(), 10U);
}

TEST(HybridEncoding, WidthsAreThoseOfTheLargestValue) {
  EXPECT_EQ(BitWidth(0), 0);
  EXPECT_EQ(BitWidth(1), 1);
  EXPECT_EQ(BitWidth(255), 8);
  EXPECT_EQ(BitWidth(256), 9);
  EXPECT_EQ(BitWidth(UINT32_MAX), 32);
}

}  // namespace
}  // namespace hangar
