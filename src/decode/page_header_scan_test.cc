#include "decode/page_header_scan.h"

#include <string>

#include <gtest/gtest.h>

namespace hangar {
namespace {

using std::string_literals::operator""s;

// Type 0, 300 bytes, compressed 5, and the struct of a data page: 3 values, with statistics of a
// binary and a number.
const std::string kBegin = "\x15\x00\x15\xd8\x04\x15\x0a"s;
const std::string kPage =
    "\x2c\x15\x06\x15\x00\x15\x06\x15\x06\x1c\x18\x04wxyz\x26\x08\x00\x00\x00"s;

arrow::Result<std::optional<PageHeaderNumbers>> Scan(const std::string& bytes) {
  return ScanPageHeader(bytes);
}

TEST(PageHeaderScan, GivesTheNumbersOfAHeaderWhateverFollowsIt) {
  const auto numbers = *Scan(kBegin + kPage + "\xff\xff\xff");
  ASSERT_TRUE(numbers.has_value());
  EXPECT_EQ(numbers->uncompressed_bytes, 300);
  EXPECT_EQ(numbers->compressed_bytes, 5);
  EXPECT_FALSE(numbers->crc.has_value());
}

TEST(PageHeaderScan, GivesTheChecksum) {
  const auto numbers = *Scan(kBegin + "\x15\x01\x1c\x00\x00"s);
  ASSERT_TRUE(numbers.has_value());
  EXPECT_EQ(numbers->crc, 0xFFFFFFFFu);
}

TEST(PageHeaderScan, SaysOfEveryPartOfAHeaderThatItGoesOn) {
  const std::string header = kBegin + kPage;
  for (size_t length = 0; length < header.size(); ++length) {
    const auto numbers = Scan(header.substr(0, length));
    ASSERT_TRUE(numbers.ok()) << length;
    EXPECT_FALSE(numbers->has_value()) << length;
  }
}

TEST(PageHeaderScan, RefusesASecondValueOfAField) {
  // The size again, its field's number written in full, as Thrift's readers accept it.
  EXPECT_FALSE(Scan(kBegin + "\x05\x04\xd8\x04\x00"s).ok());
}

TEST(PageHeaderScan, RefusesSizesOfOtherTypesAndOfMoreBits) {
  EXPECT_FALSE(Scan("\x15\x00\x16\xd8\x04\x15\x0a\x00"s).ok());
  EXPECT_FALSE(Scan("\x15\x00\x15\xd8\x04\x15\xff\xff\xff\xff\x7f\x00"s).ok());
}

TEST(PageHeaderScan, RefusesStructsWithoutEnd) {
  EXPECT_FALSE(Scan(kBegin + std::string(1000, '\x1c')).ok());
}

TEST(PageHeaderScan, TakesBytesThatSayTheyAreEndlessForAHeaderThatGoesOn) {
  const auto numbers = Scan(kBegin + "\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + "abc");
  ASSERT_TRUE(numbers.ok());
  EXPECT_FALSE(numbers->has_value());
}

}  // namespace
}  // namespace hangar
