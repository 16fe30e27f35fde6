#include "decode/byte_array_values.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/util/bit_util.h>
#include <gtest/gtest.h>

namespace hangar {
namespace {

using Rows = std::vector<std::optional<std::string>>;

Rows RandomRows(size_t count, std::mt19937& random) {
  Rows rows(count);
  for (auto& row : rows) {
    if (random() % 4 != 0) row = std::string(random() % 9, static_cast<char>('a' + random() % 26));
  }
  return rows;
}

std::string Plain(const Rows& rows) {
  std::string bytes;
  for (const auto& row : rows) {
    if (!row) continue;
    bytes += static_cast<char>(row->size());
    bytes += std::string(3, '\0') + *row;
  }
  return bytes;
}

std::vector<uint8_t> Validity(const Rows& rows) {
  std::vector<uint8_t> bits(rows.size() / 8 + 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    arrow::bit_util::SetBitTo(bits.data(), static_cast<int64_t>(i), rows[i].has_value());
  }
  return bits;
}

// The rows of arrays, the null ones as empty ones; no array has more than `bytes_max` bytes unless
// it is for one value.
std::vector<std::string> Texts(const std::vector<ValueBuffers>& arrays, int64_t bytes_max) {
  std::vector<std::string> texts;
  for (const ValueBuffers& array : arrays) {
    const auto* offsets = reinterpret_cast<const int32_t*>(array.buffers[0]->data());
    const std::string bytes = array.buffers[1]->ToString();
    EXPECT_EQ(array.buffers[0]->size(), (array.rows + 1) * 4);
    EXPECT_EQ(static_cast<int64_t>(bytes.size()), offsets[array.rows]);
    int64_t values = 0;
    for (int64_t row = 0; row < array.rows; ++row) {
      const auto length = static_cast<size_t>(offsets[row + 1] - offsets[row]);
      values += length > 0 ? 1 : 0;
      texts.push_back(bytes.substr(static_cast<size_t>(offsets[row]), length));
    }
    EXPECT_TRUE(static_cast<int64_t>(bytes.size()) <= bytes_max || values == 1);
  }
  return texts;
}

TEST(ByteArrayValues, AreCutIntoArraysThatCanHoldThem) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 random(seed);
    const Rows rows = RandomRows(1 + random() % 3'000, random);
    const std::string page = Plain(rows);
    const std::vector<uint8_t> validity = Validity(rows);
    const int64_t bytes_max = seed % 3 == 0 ? 5 : 1 + random() % 2'000;
    const auto values =
        MakeByteArrayValues({.array_bytes_max = bytes_max}, arrow::default_memory_pool());
    const auto count = static_cast<int64_t>(rows.size());
    ASSERT_TRUE(values
                    ->SetPage({.encoding = parquet::Encoding::PLAIN,
                               .count_max = count,
                               .data = reinterpret_cast<const uint8_t*>(page.data()),
                               .size = static_cast<int64_t>(page.size())})
                    .ok());
    ASSERT_TRUE(values->Begin(count).ok());
    // In two parts, of which the second does not begin at a whole byte of the bitmap.
    const int64_t cut = count / 3;
    for (const auto& [begin, end] : {std::pair(int64_t{0}, cut), std::pair(cut, count)}) {
      int64_t present = 0;
      for (int64_t i = begin; i < end; ++i) present += rows[static_cast<size_t>(i)] ? 1 : 0;
      const bool nulls = present < end - begin;
      ASSERT_TRUE(values
                      ->Append({.rows = end - begin,
                                .present = present,
                                .validity = nulls ? validity.data() : nullptr,
                                .validity_offset = begin})
                      .ok());
    }
    const auto arrays = values->Finish();
    ASSERT_TRUE(arrays.ok()) << arrays.status();
    std::vector<std::string> expected;
    for (const auto& row : rows) expected.push_back(row.value_or(""));
    ASSERT_EQ(Texts(*arrays, bytes_max), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hangar
