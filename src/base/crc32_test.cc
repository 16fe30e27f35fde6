#include "base/crc32.h"

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include <arrow/util/crc32.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

TEST(Crc32, IsTheOneOfTheStandard) {
  // The check value of CRC-32/ISO-HDLC.
  const std::string_view digits = "123456789";
  EXPECT_EQ(Crc32(0, reinterpret_cast<const uint8_t*>(digits.data()), 9), 0xCBF43926U);
}

TEST(Crc32, IsTheSameHoweverTheBytesAreCut) {
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(2'000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  for (size_t size = 0; size < bytes.size(); size += size < 300 ? 1 : 97) {
    for (const size_t begin : {size_t{0}, size_t{1}, size / 3}) {
      const uint8_t* const data = bytes.data() + begin;
      const size_t length = size - std::min(begin, size);
      const uint32_t expected = arrow::internal::crc32(7, data, length);
      EXPECT_EQ(Crc32(7, data, static_cast<int64_t>(length)), expected);
      const size_t cut = length / 2;
      const uint32_t first = Crc32(7, data, static_cast<int64_t>(cut));
      EXPECT_EQ(Crc32(first, data + cut, static_cast<int64_t>(length - cut)), expected);
    }
  }
}

}  // namespace
}  // namespace hangar
