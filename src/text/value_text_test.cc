#include "text/value_text.h"

#include <limits>
#include <string>

#include <arrow/array.h>
#include <arrow/array/array_run_end.h>
#include <arrow/builder.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gmock/gmock.h>

#include "base/error.h"

namespace hangar {
namespace {

using arrow::TimeUnit;

std::shared_ptr<arrow::Array> FromJson(const std::shared_ptr<arrow::DataType>& type,
                                       const std::string& json) {
  auto array = arrow::json::ArrayFromJSONString(type, json);
  EXPECT_TRUE(array.ok()) << array.status();
  return *array;
}

// All values, separated by spaces.
std::string Text(const std::shared_ptr<arrow::Array>& array, TextStyle style = TextStyle::kJson) {
  const auto writer = MakeValueWriter(array, style);
  EXPECT_TRUE(writer.ok()) << writer.status();
  std::string out;
  for (int64_t i = 0; i < array->length(); ++i) {
    if (i > 0) out += ' ';
    (*writer)->Append(i, &out);
  }
  return out;
}

struct Case {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  std::string json;  // As Arrow's own test format, in brackets.
  std::string expected;
};

class ValueTextTest : public testing::TestWithParam<Case> {};

TEST_P(ValueTextTest, WritesJson) {
  EXPECT_EQ(Text(FromJson(GetParam().type, GetParam().json)), GetParam().expected);
}

TEST_P(ValueTextTest, FollowsSlices) {
  const auto array = FromJson(GetParam().type, GetParam().json);
  std::string joined;
  for (int64_t i = 0; i < array->length(); ++i) {
    joined += (i > 0 ? " " : "") + Text(array->Slice(i, 1));
  }
  EXPECT_EQ(joined, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Types, ValueTextTest,
    testing::Values(
        Case{"Null", arrow::null(), "[null, null]", "null null"},
        Case{"Boolean", arrow::boolean(), "[true, null, false]", "true null false"},
        Case{"Int8", arrow::int8(), "[-128, null, 127]", "-128 null 127"},
        Case{"Int16", arrow::int16(), "[-32768]", "-32768"},
        Case{"Int32", arrow::int32(), "[-2147483648]", "-2147483648"},
        Case{"Int64", arrow::int64(), "[9223372036854775807]", "9223372036854775807"},
        Case{"UInt8", arrow::uint8(), "[255]", "255"},
        Case{"UInt16", arrow::uint16(), "[65535]", "65535"},
        Case{"UInt32", arrow::uint32(), "[4294967295]", "4294967295"},
        Case{"UInt64", arrow::uint64(), "[18446744073709551615]", "18446744073709551615"},
        Case{"HalfFloat", arrow::float16(), "[1.5, null]", "1.5 null"},
        Case{"Float", arrow::float32(), "[0.1, -0.0, 3]", "0.1 -0.0 3.0"},
        Case{"Double", arrow::float64(), "[0.1, 1e300, NaN, Inf, -Inf, null]",
             "0.1 1e+300 null null null null"},
        Case{"String", arrow::utf8(), R"(["a\"\\\n\u0001ä", "", null])",
             R"("a\"\\\n\u0001ä" "" null)"},
        Case{"LargeString", arrow::large_utf8(), R"(["x"])", R"("x")"},
        Case{"StringView", arrow::utf8_view(), R"(["x", "longer than twelve bytes"])",
             R"("x" "longer than twelve bytes")"},
        Case{"Binary", arrow::binary(), R"(["abcd", "", null])", R"("YWJjZA==" "" null)"},
        Case{"LargeBinary", arrow::large_binary(), R"(["abc"])", R"("YWJj")"},
        Case{"BinaryView", arrow::binary_view(), R"(["abc"])", R"("YWJj")"},
        Case{"FixedSizeBinary", arrow::fixed_size_binary(3), R"(["abc"])", R"("YWJj")"},
        Case{"Decimal32", arrow::decimal32(5, 2), R"(["123.45"])", R"("123.45")"},
        Case{"Decimal64", arrow::decimal64(5, 2), R"(["-0.01"])", R"("-0.01")"},
        Case{"Decimal128", arrow::decimal128(38, 2),
             R"(["999999999999999999999999999999999999.99"])",
             R"("999999999999999999999999999999999999.99")"},
        Case{"Decimal256", arrow::decimal256(40, 0), R"(["1", null])", R"("1" null)"},
        Case{"Date32", arrow::date32(), "[0, -1, 2147483647]",
             R"("1970-01-01" "1969-12-31" "2147483647")"},
        Case{"Date64", arrow::date64(), "[86400000]", R"("1970-01-02")"},
        Case{"Time32Seconds", arrow::time32(TimeUnit::SECOND), "[3661]", R"("01:01:01")"},
        Case{"Time32Millis", arrow::time32(TimeUnit::MILLI), "[1]", R"("00:00:00.001")"},
        Case{"Time64Micros", arrow::time64(TimeUnit::MICRO), "[86399999999]",
             R"("23:59:59.999999")"},
        Case{"Time64Nanos", arrow::time64(TimeUnit::NANO), "[1]", R"("00:00:00.000000001")"},
        Case{"TimestampSeconds", arrow::timestamp(TimeUnit::SECOND), "[0, -1, null]",
             R"("1970-01-01T00:00:00" "1969-12-31T23:59:59" null)"},
        Case{"TimestampNanosZoned", arrow::timestamp(TimeUnit::NANO, "Europe/Berlin"), "[-1]",
             R"("1969-12-31T23:59:59.999999999Z")"},
        Case{"TimestampMicrosOld", arrow::timestamp(TimeUnit::MICRO), "[-62198755200000000]",
             R"("-0001-01-01T00:00:00.000000")"},
        Case{"TimestampBeyondTheCalendar", arrow::timestamp(TimeUnit::SECOND),
             "[9223372036854775807]", R"("9223372036854775807")"},
        Case{"Duration", arrow::duration(TimeUnit::MILLI), "[1500, -1, 60000]",
             R"("PT1.500S" "PT-0.001S" "PT60S")"},
        Case{"DurationLowest", arrow::duration(TimeUnit::SECOND), "[-9223372036854775808]",
             R"("PT-9223372036854775808S")"},
        Case{"MonthInterval", arrow::month_interval(), "[14]", R"("P14M")"},
        Case{"DayTimeInterval", arrow::day_time_interval(), "[[1, 500]]", R"("P1DT0.500S")"},
        Case{"MonthDayNanoInterval", arrow::month_day_nano_interval(), "[[1, 2, 3000000000]]",
             R"("P1M2DT3S")"},
        Case{"List", arrow::list(arrow::int8()), "[[1, null], [], null]", "[1,null] [] null"},
        Case{"LargeList", arrow::large_list(arrow::utf8()), R"([["a", "b"]])", R"(["a","b"])"},
        Case{"ListView", arrow::list_view(arrow::int8()), "[[1], null, [2, 3]]", "[1] null [2,3]"},
        Case{"LargeListView", arrow::large_list_view(arrow::int8()), "[[1]]", "[1]"},
        Case{"FixedSizeList", arrow::fixed_size_list(arrow::int8(), 2), "[[1, 2], null, [3, 4]]",
             "[1,2] null [3,4]"},
        Case{"Struct",
             arrow::struct_({arrow::field("a \"", arrow::int8()),
                             arrow::field("b", arrow::list(arrow::utf8()))}),
             R"([[1, ["x"]], null, [null, null]])",
             R"({"a \"":1,"b":["x"]} null {"a \"":null,"b":null})"},
        Case{"MapOfText", arrow::map(arrow::utf8(), arrow::int8()),
             R"([[["k", 1], ["l", null]], []])", R"({"k":1,"l":null} {})"},
        Case{"MapOfNumbers", arrow::map(arrow::int8(), arrow::boolean()),
             "[[[1, true], [2, false]]]", R"([{"key":1,"value":true},{"key":2,"value":false}])"},
        Case{"Dictionary", arrow::dictionary(arrow::int8(), arrow::utf8()),
             R"(["a", "b", null, "a"])", R"("a" "b" null "a")"},
        Case{
            "DenseUnion",
            arrow::dense_union({arrow::field("i", arrow::int8()), arrow::field("s", arrow::utf8())},
                               {4, 7}),
            R"([[4, 1], [7, "x"], [4, null]])", R"(1 "x" null)"},
        Case{"SparseUnion",
             arrow::sparse_union(
                 {arrow::field("i", arrow::int8()), arrow::field("s", arrow::utf8())}, {4, 7}),
             R"([[4, 1], [7, "x"], [4, null]])", R"(1 "x" null)"}),
    [](const auto& test_info) { return test_info.param.name; });

TEST(ValueText, WritesRunEndEncodedValues) {
  const auto array = *arrow::RunEndEncodedArray::Make(5, FromJson(arrow::int32(), "[2, 5]"),
                                                      FromJson(arrow::utf8(), R"(["a", null])"));
  EXPECT_EQ(Text(array), R"("a" "a" null null null)");
  EXPECT_EQ(Text(array->Slice(1, 2)), R"("a" null)");
}

TEST(ValueText, WritesTheStorageOfExtensions) {
  const auto storage = FromJson(arrow::fixed_size_binary(16), R"(["abcdefghijklmnop"])");
  EXPECT_EQ(Text(arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage)),
            R"("YWJjZGVmZ2hpamtsbW5vcA==")");
}

TEST(ValueText, ReplacesWhatIsNotUtf8) {
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("a\xFFz\xE2\x82").ok());
  EXPECT_EQ(Text(*builder.Finish()), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(ValueText, IsBareAsPlainText) {
  EXPECT_EQ(Text(FromJson(arrow::utf8(), R"(["a\"b", null, "c"])"), TextStyle::kPlain), "a\"b  c");
  EXPECT_EQ(Text(FromJson(arrow::float64(), "[NaN, Inf, -Inf, 1]"), TextStyle::kPlain),
            "NaN inf -inf 1.0");
  EXPECT_EQ(Text(FromJson(arrow::timestamp(TimeUnit::SECOND, "UTC"), "[0]"), TextStyle::kPlain),
            "1970-01-01T00:00:00Z");
  EXPECT_EQ(Text(FromJson(arrow::list(arrow::utf8()), R"([["a"]])"), TextStyle::kPlain),
            R"(["a"])");
  EXPECT_EQ(Text(FromJson(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["a"])"),
                 TextStyle::kPlain),
            "a");
}

}  // namespace
}  // namespace hangar
