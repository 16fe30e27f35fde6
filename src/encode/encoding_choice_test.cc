#include "encode/encoding_choice.h"

#include <format>
#include <random>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "base/error.h"

namespace hangar {
namespace {

constexpr int64_t kRows = 20'000;

template <typename Builder, typename Make>
std::shared_ptr<arrow::Array> Array(Make make, int64_t rows = kRows,
                                    const std::shared_ptr<arrow::DataType>& type = nullptr) {
  Builder builder(
      type == nullptr ? arrow::TypeTraits<typename Builder::TypeClass>::type_singleton() : type,
      arrow::default_memory_pool());
  for (int64_t i = 0; i < rows; ++i) EXPECT_TRUE(builder.Append(make(i)).ok());
  return builder.Finish().ValueOrDie();
}

EncodingChoice Choose(const std::shared_ptr<arrow::Array>& values, const EncodingWish& wish = {}) {
  std::shared_ptr<parquet::SchemaDescriptor> columns;
  EXPECT_TRUE(
      parquet::arrow::ToParquetSchema(arrow::schema({arrow::field("x", values->type())}).get(),
                                      *parquet::default_writer_properties(), &columns)
          .ok());
  auto choice = ChooseEncoding(*columns->Column(0), {values}, values->length(), wish);
  EXPECT_TRUE(choice.ok()) << choice.status();
  return *choice;
}

TEST(EncodingChoice, NumbersThatGrowEvenlyAreDeltas) {
  const auto choice = Choose(Array<arrow::Int64Builder>([](int64_t i) { return 1000 + i * 3; }));
  EXPECT_EQ(choice.encoding, ColumnEncoding::kDelta);
  EXPECT_EQ(choice.codec.type, arrow::Compression::UNCOMPRESSED);
}

TEST(EncodingChoice, RandomNumbersStayPlainAndUncompressed) {
  std::mt19937_64 random(1);
  for (const auto& values :
       {Array<arrow::Int64Builder>([&](int64_t) { return static_cast<int64_t>(random()); }),
        Array<arrow::DoubleBuilder>(
            [&](int64_t) { return std::normal_distribution<>()(random); })}) {
    const auto choice = Choose(values);
    EXPECT_EQ(choice.encoding, ColumnEncoding::kPlain);
    EXPECT_EQ(choice.codec.type, arrow::Compression::UNCOMPRESSED);
  }
}

TEST(EncodingChoice, FewValuesMakeADictionary) {
  std::mt19937_64 random(2);
  const auto strings =
      Array<arrow::StringBuilder>([&](int64_t) { return std::format("zone {}", random() % 265); });
  const auto prices = Array<arrow::DoubleBuilder>(
      [&](int64_t) { return static_cast<double>(random() % 3000) / 100; });
  EXPECT_EQ(Choose(strings).encoding, ColumnEncoding::kDictionary);
  EXPECT_EQ(Choose(prices).encoding, ColumnEncoding::kDictionary);
}

TEST(EncodingChoice, AValueThatHardlyComesAgainMakesNoDictionary) {
  std::mt19937_64 random(3);
  const auto unique =
      Array<arrow::StringBuilder>([&](int64_t) { return std::format("{:016x}", random()); });
  EXPECT_NE(Choose(unique).encoding, ColumnEncoding::kDictionary);
}

TEST(EncodingChoice, ADictionaryThatWouldNotFitIsNotBegun) {
  // Half of the sample was seen before, but a row group would hold far more than the limit.
  std::mt19937_64 random(4);
  const auto values = Array<arrow::Int64Builder>(
      [&](int64_t) { return static_cast<int64_t>(random() % 20'000 * 0x9E3779B97F4A7C15U); });
  EXPECT_EQ(Choose(values, {.dictionary_bytes_max = 1 << 20}).encoding,
            ColumnEncoding::kDictionary);
  EXPECT_NE(Choose(values, {.dictionary_bytes_max = 64 << 10}).encoding,
            ColumnEncoding::kDictionary);
}

TEST(EncodingChoice, SmoothSeriesAreSplitIntoStreamsAndCompressed) {
  double level = 100;
  std::mt19937_64 random(5);
  const auto series = Array<arrow::DoubleBuilder>([&](int64_t) {
    return static_cast<double>(static_cast<float>(level += std::normal_distribution<>()(random)));
  });
  const auto choice = Choose(series);
  EXPECT_EQ(choice.encoding, ColumnEncoding::kByteStreamSplit);
  EXPECT_EQ(choice.codec.type, arrow::Compression::LZ4);
}

TEST(EncodingChoice, SortedStringsAreDeltas) {
  std::mt19937_64 random(6);
  const auto keys = Array<arrow::StringBuilder>([&](int64_t i) {
    return std::format("customer/2026/{:010}/{:08x}", i, static_cast<uint32_t>(random()));
  });
  EXPECT_EQ(Choose(keys).encoding, ColumnEncoding::kDelta);
}

TEST(EncodingChoice, LongTextIsCompressed) {
  std::mt19937_64 random(7);
  const auto text = Array<arrow::StringBuilder>([&](int64_t) {
    std::string words;
    for (int i = 0; i < 20; ++i) words += std::format("word{} ", random() % 300);
    return words;
  });
  EXPECT_NE(Choose(text).codec.type, arrow::Compression::UNCOMPRESSED);
}

TEST(EncodingChoice, WhatIsWishedForIsKept) {
  const auto values = Array<arrow::Int64Builder>([](int64_t i) { return i; });
  EncodingWish wish{.encoding = ColumnEncoding::kByteStreamSplit};
  EXPECT_EQ(Choose(values, wish).encoding, ColumnEncoding::kByteStreamSplit);
  wish = {.codec = ColumnCodec{.type = arrow::Compression::GZIP, .level = 3}};
  const auto choice = Choose(values, wish);
  EXPECT_EQ(choice.codec.type, arrow::Compression::GZIP);
  EXPECT_EQ(choice.codec.level, 3);
}

TEST(EncodingChoice, NoValuesAndBooleansHaveAChoiceToo) {
  const auto nulls = arrow::MakeArrayOfNull(arrow::utf8(), 100).ValueOrDie();
  EXPECT_EQ(Choose(nulls).encoding, ColumnEncoding::kDictionary);
  const auto booleans = Array<arrow::BooleanBuilder>([](int64_t i) { return i % 3 == 0; });
  EXPECT_EQ(Choose(booleans).encoding, ColumnEncoding::kPlain);
}

TEST(EncodingChoice, TheSameValuesGiveTheSameChoice) {
  std::mt19937_64 random(8);
  const auto values = Array<arrow::DoubleBuilder>(
      [&](int64_t) { return static_cast<double>(random() % 9000) / 100; });
  const auto first = Choose(values);
  const auto second = Choose(values);
  EXPECT_EQ(first.encoding, second.encoding);
  EXPECT_EQ(first.codec.type, second.codec.type);
}

TEST(EncodingChoice, NamesAreReadAndOthersRefused) {
  for (const char* name : {"plain", "dictionary", "delta", "byte_stream_split"}) {
    const auto encoding = ParseColumnEncoding(name, "x");
    ASSERT_TRUE(encoding.ok());
    EXPECT_EQ(ColumnEncodingName(*encoding), name);
  }
  EXPECT_EQ(KindOf(ParseColumnEncoding("zip", "x").status()), ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace hangar
