#include "schema/storage_mapping.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension/bool8.h>
#include <arrow/extension/fixed_shape_tensor.h>
#include <arrow/extension/json.h>
#include <arrow/extension/opaque.h>
#include <arrow/extension/uuid.h>
#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "schema/schema_metadata.h"
#include "tests/support/parquet_files.h"
#include "tests/support/random_arrays.h"

namespace hangar {
namespace {

using arrow::TimeUnit;
using ::testing::AllOf;
using testing::ArrayShape;
using ::testing::HasSubstr;
using testing::Load;
using testing::RandomArray;
using testing::RandomType;
using testing::Rows;
using testing::Store;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using TypePtr = std::shared_ptr<arrow::DataType>;

void ExpectSameSchema(const arrow::Schema& got, const arrow::Schema& put) {
  EXPECT_TRUE(got.Equals(put, /*check_metadata=*/true))
      << "got " << got.ToString(/*show_metadata=*/true) << "\nput "
      << put.ToString(/*show_metadata=*/true);
}

void ExpectRoundTrip(const SchemaPtr& schema, const arrow::RecordBatchVector& batches,
                     int64_t row_group_rows = testing::kSmallRowGroup) {
  for (const auto& batch : batches) ASSERT_TRUE(batch->ValidateFull().ok());
  auto file = Store(schema, batches, row_group_rows);
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(*loaded->schema, *schema);
  EXPECT_EQ(Rows(loaded->batches), Rows(batches));
}

BatchPtr RandomBatch(const SchemaPtr& schema, const ArrayShape& shape, std::mt19937_64& random) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    columns.push_back(RandomArray(
        field->type(), {shape.length, field->nullable() ? shape.null_share : 0}, random));
  }
  return arrow::RecordBatch::Make(schema, shape.length, std::move(columns));
}

std::shared_ptr<arrow::KeyValueMetadata> Metadata(std::string key, std::string value) {
  return arrow::key_value_metadata({std::move(key)}, {std::move(value)});
}

// ------------------------------------------------------------------------------ the table of types

struct TypeCase {
  std::string name;
  TypePtr type;
};

void PrintTo(const TypeCase& type_case, std::ostream* out) { *out << type_case.name; }

std::vector<TypeCase> FlatTypes() {
  return {
      {"null", arrow::null()},
      {"bool", arrow::boolean()},
      {"int8", arrow::int8()},
      {"int16", arrow::int16()},
      {"int32", arrow::int32()},
      {"int64", arrow::int64()},
      {"uint8", arrow::uint8()},
      {"uint16", arrow::uint16()},
      {"uint32", arrow::uint32()},
      {"uint64", arrow::uint64()},
      {"float16", arrow::float16()},
      {"float32", arrow::float32()},
      {"float64", arrow::float64()},
      {"decimal32", arrow::decimal32(9, 2)},
      {"decimal64", arrow::decimal64(18, 18)},
      {"decimal128", arrow::decimal128(38, 5)},
      {"decimal128_of_few_digits", arrow::decimal128(5, 5)},
      {"decimal256", arrow::decimal256(76, 40)},
      {"decimal256_of_few_digits", arrow::decimal256(4, 1)},
      {"decimal_scale_above_precision", arrow::decimal32(3, 7)},
      {"decimal_scale_above_decimal128", arrow::decimal128(10, 60)},
      {"decimal_negative_scale", arrow::decimal128(6, -4)},
      {"decimal_negative_scale_wide", arrow::decimal128(38, -30)},
      {"decimal64_negative_scale", arrow::decimal64(10, -2)},
      {"date32", arrow::date32()},
      {"date64", arrow::date64()},
      {"time32_s", arrow::time32(TimeUnit::SECOND)},
      {"time32_ms", arrow::time32(TimeUnit::MILLI)},
      {"time64_us", arrow::time64(TimeUnit::MICRO)},
      {"time64_ns", arrow::time64(TimeUnit::NANO)},
      {"timestamp_s", arrow::timestamp(TimeUnit::SECOND)},
      {"timestamp_ms", arrow::timestamp(TimeUnit::MILLI)},
      {"timestamp_us", arrow::timestamp(TimeUnit::MICRO)},
      {"timestamp_ns", arrow::timestamp(TimeUnit::NANO)},
      {"timestamp_s_zone", arrow::timestamp(TimeUnit::SECOND, "Asia/Tokyo")},
      {"timestamp_ms_zone", arrow::timestamp(TimeUnit::MILLI, "UTC")},
      {"timestamp_us_zone", arrow::timestamp(TimeUnit::MICRO, "Europe/Paris")},
      {"timestamp_ns_zone", arrow::timestamp(TimeUnit::NANO, "-07:00")},
      {"duration_s", arrow::duration(TimeUnit::SECOND)},
      {"duration_ms", arrow::duration(TimeUnit::MILLI)},
      {"duration_us", arrow::duration(TimeUnit::MICRO)},
      {"duration_ns", arrow::duration(TimeUnit::NANO)},
      {"utf8", arrow::utf8()},
      {"large_utf8", arrow::large_utf8()},
      {"utf8_view", arrow::utf8_view()},
      {"binary", arrow::binary()},
      {"large_binary", arrow::large_binary()},
      {"binary_view", arrow::binary_view()},
      {"fixed_size_binary", arrow::fixed_size_binary(5)},
      {"fixed_size_binary_of_nothing", arrow::fixed_size_binary(0)},
  };
}

std::vector<TypeCase> NestedTypes() {
  const auto required = arrow::field("item", arrow::int32(), false);
  const auto named = arrow::field("x", arrow::utf8(), true, Metadata("unit", "m"));
  const auto point = arrow::struct_(
      {arrow::field("x", arrow::float64(), false), arrow::field("y", arrow::float64(), false)});
  return {
      {"list", arrow::list(arrow::int32())},
      {"list_of_element", arrow::list(arrow::field("element", arrow::int64()))},
      {"list_with_named_item", arrow::list(named)},
      {"list_of_required", arrow::list(required)},
      {"list_of_null", arrow::list(arrow::null())},
      {"list_of_required_null", arrow::list(arrow::field("n", arrow::null(), false))},
      {"large_list", arrow::large_list(named)},
      {"list_view", arrow::list_view(arrow::int16())},
      {"list_view_of_required", arrow::list_view(required)},
      {"large_list_view", arrow::large_list_view(named)},
      {"fixed_size_list", arrow::fixed_size_list(arrow::float32(), 3)},
      {"fixed_size_list_of_required", arrow::fixed_size_list(required, 2)},
      {"fixed_size_list_of_nothing", arrow::fixed_size_list(arrow::int8(), 0)},
      {"fixed_size_list_of_views", arrow::fixed_size_list(arrow::utf8_view(), 2)},
      {"fixed_size_list_of_lists",
       arrow::fixed_size_list(arrow::fixed_size_list(arrow::list(named), 2), 2)},
      {"list_of_lists", arrow::list(arrow::large_list(arrow::list_view(arrow::binary_view())))},
      {"struct", point},
      {"struct_of_one_name",
       arrow::struct_({arrow::field("a", arrow::int8()), arrow::field("a", arrow::utf8())})},
      {"struct_of_null", arrow::struct_({arrow::field("n", arrow::null(), false)})},
      {"struct_of_seconds", arrow::struct_({arrow::field("at", arrow::timestamp(TimeUnit::SECOND)),
                                            arrow::field("on", arrow::date64(), false)})},
      {"struct_of_lists", arrow::struct_({arrow::field("l", arrow::list(point), false),
                                          arrow::field("m", arrow::map(arrow::utf8(), point))})},
      {"list_of_structs", arrow::list(arrow::field("item", point, false))},
      {"map", arrow::map(arrow::utf8(), arrow::int32())},
      {"map_sorted", arrow::map(arrow::int32(), named, /*keys_sorted=*/true)},
      {"map_of_required", arrow::map(arrow::int32(), arrow::field("value", arrow::utf8(), false))},
      {"map_of_null", arrow::map(arrow::utf8(), arrow::null())},
      {"map_with_own_names",
       std::make_shared<arrow::MapType>(arrow::field(
           "pairs",
           arrow::struct_({arrow::field("k", arrow::utf8(), false, Metadata("role", "key")),
                           arrow::field("v", arrow::date64())}),
           false, Metadata("role", "entries")))},
      {"map_of_maps", arrow::map(arrow::date64(), arrow::map(point, arrow::list(named)))},
  };
}

std::vector<TypeCase> DictionaryTypes() {
  std::vector<TypeCase> cases;
  for (const auto& index : {arrow::int8(), arrow::uint8(), arrow::int16(), arrow::uint16(),
                            arrow::int32(), arrow::uint32(), arrow::int64(), arrow::uint64()}) {
    cases.push_back({"dictionary_" + index->name(), arrow::dictionary(index, arrow::utf8())});
  }
  const auto add = [&cases](const std::string& name, const TypePtr& values, bool ordered = false) {
    cases.push_back({"dictionary_of_" + name, arrow::dictionary(arrow::int16(), values, ordered)});
  };
  add("ordered_text", arrow::utf8(), true);
  add("large_text", arrow::large_utf8());
  add("text_views", arrow::utf8_view(), true);
  add("binary", arrow::binary());
  add("binary_views", arrow::binary_view());
  add("fixed_size_binary", arrow::fixed_size_binary(2));
  add("null", arrow::null());
  add("bool", arrow::boolean());
  add("int64", arrow::int64(), true);
  add("uint8", arrow::uint8());
  add("float16", arrow::float16());
  add("float32", arrow::float32());
  add("float64", arrow::float64());
  add("decimal32", arrow::decimal32(4, 1));
  add("decimal64", arrow::decimal64(12, 1));
  add("decimal128", arrow::decimal128(30, 1));
  add("decimal256", arrow::decimal256(60, 1));
  add("date64", arrow::date64());
  add("time32", arrow::time32(TimeUnit::SECOND));
  add("timestamp", arrow::timestamp(TimeUnit::SECOND, "UTC"));
  add("duration", arrow::duration(TimeUnit::MILLI));
  add("list", arrow::list(arrow::utf8_view()));
  add("struct", arrow::struct_({arrow::field("s", arrow::utf8_view()),
                                arrow::field("d", arrow::date64(), false)}));
  const auto words = arrow::dictionary(arrow::int8(), arrow::utf8(), true);
  const auto halves = arrow::dictionary(arrow::uint64(), arrow::float16());
  cases.push_back({"fixed_size_list_of_half_dictionary", arrow::fixed_size_list(halves, 1)});
  cases.push_back({"list_view_of_half_dictionary", arrow::list_view(halves)});
  cases.push_back({"list_of_dictionary", arrow::list(words)});
  cases.push_back({"list_view_of_dictionary", arrow::list_view(words)});
  cases.push_back({"fixed_size_list_of_dictionary", arrow::fixed_size_list(words, 2)});
  cases.push_back({"struct_of_dictionary",
                   arrow::struct_({arrow::field("w", words), arrow::field("v", words, false)})});
  cases.push_back({"map_of_dictionary", arrow::map(words, words)});
  cases.push_back(
      {"dictionary_of_dictionary_lists", arrow::dictionary(arrow::int32(), arrow::list(words))});
  return cases;
}

std::vector<TypeCase> ExtensionTypes() {
  namespace extension = arrow::extension;
  const auto tensor = extension::fixed_shape_tensor(arrow::float32(), {2, 2}, {1, 0}, {"h", "w"});
  const auto opaque = [](const TypePtr& storage) {
    return extension::opaque(storage, "geometry", "a database");
  };
  return {
      {"uuid", extension::uuid()},
      {"json", extension::json()},
      {"json_large", extension::json(arrow::large_utf8())},
      {"json_view", extension::json(arrow::utf8_view())},
      {"bool8", extension::bool8()},
      {"fixed_shape_tensor", tensor},
      {"opaque_null", opaque(arrow::null())},
      {"opaque_seconds", opaque(arrow::timestamp(TimeUnit::SECOND))},
      {"opaque_dictionary_as_stored", opaque(arrow::dictionary(arrow::int32(), arrow::utf8()))},
      {"opaque_struct", opaque(arrow::struct_({arrow::field("a", arrow::utf8())}))},
      {"opaque_dictionary", opaque(arrow::dictionary(arrow::int8(), arrow::utf8()))},
      {"list_of_uuid", arrow::list(arrow::field("id", extension::uuid(), false))},
      {"list_view_of_json", arrow::list_view(extension::json())},
      {"fixed_size_list_of_uuid", arrow::fixed_size_list(extension::uuid(), 2)},
      {"struct_of_extensions",
       arrow::struct_({arrow::field("t", tensor), arrow::field("u", extension::uuid(), false),
                       arrow::field("b", extension::bool8())})},
  };
}

// As a client's schema arrives: Arrow's own format gives the entries of maps their usual names.
SchemaPtr OverTheWire(const SchemaPtr& schema) {
  return DecodeSchema(EncodeSchema(*schema).ValueOrDie()).ValueOrDie();
}

class TypeRoundTrip : public ::testing::TestWithParam<TypeCase> {
 protected:
  // A column that may be null and one that may not, as the type allows.
  SchemaPtr schema_ = OverTheWire(
      arrow::schema({arrow::field("optional", GetParam().type, true, Metadata("unit", "m/s")),
                     arrow::field("required", GetParam().type, false)},
                    Metadata("origin", "a test")));
  std::mt19937_64 random_{20260131};
};

TEST_P(TypeRoundTrip, InEveryLayout) {
  const auto batch = [this](int64_t rows, double null_share) {
    return RandomBatch(schema_, {rows, null_share}, random_);
  };
  const auto expect = [this](const std::string& layout, const arrow::RecordBatchVector& batches,
                             int64_t row_group_rows = testing::kSmallRowGroup) {
    SCOPED_TRACE(layout);
    ExpectRoundTrip(schema_, batches, row_group_rows);
  };
  expect("no batch", {});
  expect("one batch without rows", {batch(0, 0)});
  expect("without nulls", {batch(200, 0)});
  expect("with nulls", {batch(200, 0.3)});
  expect("all null", {batch(150, 1)});
  expect("many batches", {batch(1, 0.2), batch(30, 0.2), batch(0, 0.2), batch(77, 0),
                          batch(130, 0.2), batch(2, 0.2)});
  expect("sliced batches", {batch(100, 0.3)->Slice(13, 70), batch(100, 0)->Slice(7, 20)});
  // Longer than what Arrow's writer takes at a time.
  expect("long row groups", {batch(1700, 0.2), batch(1500, 0.1)}, /*row_group_rows=*/2500);
}

std::string TypeCaseName(const ::testing::TestParamInfo<TypeCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Flat, TypeRoundTrip, ::testing::ValuesIn(FlatTypes()), TypeCaseName);
INSTANTIATE_TEST_SUITE_P(Nested, TypeRoundTrip, ::testing::ValuesIn(NestedTypes()), TypeCaseName);
INSTANTIATE_TEST_SUITE_P(Dictionary, TypeRoundTrip, ::testing::ValuesIn(DictionaryTypes()),
                         TypeCaseName);
INSTANTIATE_TEST_SUITE_P(Extension, TypeRoundTrip, ::testing::ValuesIn(ExtensionTypes()),
                         TypeCaseName);

// ------------------------------------------------------------------------------------- single
// cases

std::shared_ptr<arrow::Array> FromJson(const TypePtr& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

TEST(StorageMapping, GivesRandomNestedSchemasBack) {
  constexpr int kSchemas = 300;
  for (uint64_t seed = 1; seed <= kSchemas; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    arrow::FieldVector fields;
    for (int i = 0; i < 4; ++i) {
      fields.push_back(arrow::field("column " + std::to_string(i % 3), RandomType(i, random),
                                    (random() & 1) == 0));
    }
    const SchemaPtr schema = OverTheWire(arrow::schema(fields));
    if (!CheckStorable(*schema).ok()) continue;  // Dictionaries of dictionaries.
    ExpectRoundTrip(schema, {RandomBatch(schema, {60, 0.3}, random),
                             RandomBatch(schema, {90, 0.1}, random)->Slice(11, 71)});
    if (HasFailure()) break;
  }
}

TEST(StorageMapping, KeepsMetadataAndNamesThatOthersWouldTripOver) {
  const auto pandas = arrow::key_value_metadata(
      {"pandas", "", "twice", "twice", "bytes"},
      {R"({"index_columns": []})", "no key", "1", "2", std::string("\0\xff", 2)});
  const SchemaPtr schema = arrow::schema(
      {arrow::field("same", arrow::int8()), arrow::field("same", arrow::utf8()),
       arrow::field("", arrow::int8()), arrow::field("a.b", arrow::int8()),
       arrow::field("a", arrow::struct_({arrow::field("b", arrow::int8()),
                                         arrow::field("", arrow::date64())})),
       arrow::field("Größe", arrow::float32(), true, Metadata("PARQUET:field_id", "7")),
       arrow::field("mark", arrow::int16(), true,
                    arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                              {"org.example.mark", "{}"})),
       arrow::field(
           "marked lists",
           arrow::list_view(arrow::field("p", arrow::fixed_size_list(arrow::int8(), 2), true,
                                         Metadata("ARROW:extension:name", "org.example"))),
           true, Metadata("ARROW:extension:name", "org.example.lists"))},
      pandas);
  std::mt19937_64 random(7);
  ExpectRoundTrip(schema, {RandomBatch(schema, {30, 0.2}, random)});
}

TEST(StorageMapping, DropsKeysThatAFileHasForItself) {
  const SchemaPtr schema = arrow::schema(
      {arrow::field("d", arrow::date64())},
      arrow::key_value_metadata({"ARROW:schema", "kept", "hangar:schema"}, {"junk", "1", "junk"}));
  std::mt19937_64 random(7);
  auto file = Store(schema, {RandomBatch(schema, {3, 0}, random)});
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(*loaded->schema, *schema->WithMetadata(Metadata("kept", "1")));
}

TEST(StorageMapping, SharesColumnsThatAreStoredAsTheyAre) {
  const SchemaPtr schema =
      arrow::schema({arrow::field("i", arrow::int64()), arrow::field("s", arrow::utf8()),
                     arrow::field("l", arrow::list(arrow::float32()))});
  std::mt19937_64 random(7);
  const auto batch = RandomBatch(schema, {30, 0.2}, random);
  auto mapping = StorageMapping::Make(schema);
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  ExpectSameSchema(*(*mapping)->storage_schema(), *schema);  // Nothing of ours in the file.
  auto stored = (*mapping)->ToStorage(batch, arrow::default_memory_pool());
  ASSERT_TRUE(stored.ok()) << stored.status();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ((*stored)->column_data(i)->buffers[1], batch->column_data(i)->buffers[1]);
  }
}

TEST(StorageMapping, KeepsTheDictionaryOfATextColumn) {
  // Its order is what ordered categories mean, and unused entries are categories too.
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8(), /*ordered=*/true);
  const auto levels = FromJson(arrow::utf8(), R"(["low", "middle", "high"])");
  const auto column =
      arrow::DictionaryArray::FromArrays(type, FromJson(arrow::int8(), "[2, 0, null, 2]"), levels)
          .ValueOrDie();
  const SchemaPtr schema = arrow::schema({arrow::field("level", type)});
  const auto batch = arrow::RecordBatch::Make(schema, 4, {column});
  auto file = Store(schema, {batch});
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
  ASSERT_FALSE(loaded->batches.empty());
  for (const auto& one : loaded->batches) {
    const auto& got = static_cast<const arrow::DictionaryArray&>(*one->column(0));
    EXPECT_TRUE(got.dictionary()->Equals(*levels)) << got.ToString();
  }
}

TEST(StorageMapping, CutsBatchesWhereANarrowDictionaryWouldOverflow) {
  // Each batch has its own 100 words; what is read as one batch has more than int8 can number.
  const auto type = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto nested = arrow::list(arrow::dictionary(arrow::int8(), arrow::int32()));
  const SchemaPtr schema =
      arrow::schema({arrow::field("word", type), arrow::field("numbers", nested)});
  arrow::RecordBatchVector batches;
  for (int b = 0; b < 4; ++b) {
    arrow::StringBuilder words;
    arrow::Int32Builder numbers;
    arrow::Int8Builder indices;
    arrow::Int32Builder offsets;
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(words.Append("word " + std::to_string(b * 100 + i)).ok());
      ASSERT_TRUE(numbers.Append(b * 100 + i).ok());
      ASSERT_TRUE(indices.Append(static_cast<int8_t>(i)).ok());
      ASSERT_TRUE(offsets.Append(i).ok());
    }
    ASSERT_TRUE(offsets.Append(100).ok());
    const auto index = indices.Finish().ValueOrDie();
    auto flat = arrow::DictionaryArray::FromArrays(type, index, words.Finish().ValueOrDie());
    auto items = arrow::DictionaryArray::FromArrays(nested->field(0)->type(), index,
                                                    numbers.Finish().ValueOrDie());
    auto lists =
        arrow::ListArray::FromArrays(nested, *offsets.Finish().ValueOrDie(), *items.ValueOrDie());
    batches.push_back(
        arrow::RecordBatch::Make(schema, 100, {flat.ValueOrDie(), lists.ValueOrDie()}));
  }
  auto file = Store(schema, batches, /*row_group_rows=*/1000);
  ASSERT_TRUE(file.ok()) << file.status();

  // Read in one piece, so that the cut is ToLogicalBatches' own.
  auto loaded = Load(*file, /*read_rows=*/400);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(*loaded->schema, *schema);
  EXPECT_EQ(Rows(loaded->batches), Rows(batches));
  EXPECT_GT(loaded->batches.size(), 2U);  // Load itself makes two.
}

TEST(StorageMapping, HoldsDictionariesWithNullAndRepeatedEntries) {
  const auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  const auto column = [&](const std::string& values) {
    return arrow::DictionaryArray::FromArrays(type,
                                              FromJson(arrow::int32(), "[3, 1, null, 0, 2, 1]"),
                                              FromJson(arrow::utf8(), values))
        .ValueOrDie();
  };
  const SchemaPtr schema = arrow::schema({arrow::field("word", type)});
  const arrow::RecordBatchVector batches = {
      arrow::RecordBatch::Make(schema, 6, {column(R"(["a", null, "b", "a"])")}),
      arrow::RecordBatch::Make(schema, 6, {column(R"(["b", "a", "a", null])")})};
  auto file = Store(schema, batches);
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(Rows(loaded->batches), Rows(batches));
}

TEST(StorageMapping, HoldsNullsHiddenBehindNullStructs) {
  const auto type = arrow::struct_(
      {arrow::field("x", arrow::int32(), false),
       arrow::field("in", arrow::struct_({arrow::field("y", arrow::date64(), false)}), false)});
  const auto column = FromJson(type, R"([{"x": 1, "in": {"y": 86400000}}, null])");
  ASSERT_TRUE(column->ValidateFull().ok());
  const SchemaPtr schema = arrow::schema({arrow::field("s", type)});
  ExpectRoundTrip(schema, {arrow::RecordBatch::Make(schema, 2, {column})});
}

TEST(StorageMapping, RoundTripsATableWithoutColumns) {
  const SchemaPtr schema = arrow::schema(arrow::FieldVector{}, Metadata("k", "v"));
  ExpectRoundTrip(schema, {});
  ExpectRoundTrip(schema, {arrow::RecordBatch::Make(schema, 0, arrow::ArrayVector{})});
}

// ------------------------------------------------------------------------- batches that are
// refused

std::string StoreError(const SchemaPtr& schema, const std::shared_ptr<arrow::Array>& column) {
  auto mapping = StorageMapping::Make(schema);
  EXPECT_TRUE(mapping.ok()) << mapping.status();
  auto stored = (*mapping)->ToStorage(arrow::RecordBatch::Make(schema, column->length(), {column}),
                                      arrow::default_memory_pool());
  EXPECT_FALSE(stored.ok());
  EXPECT_EQ(KindOf(stored.status()), ErrorKind::kInvalidArgument);
  return stored.status().message();
}

TEST(StorageMapping, RefusesSecondsThatMillisecondsCannotCount) {
  const auto at = arrow::timestamp(TimeUnit::SECOND);
  const SchemaPtr schema = arrow::schema({arrow::field("at", at)});
  EXPECT_THAT(
      StoreError(schema, FromJson(arrow::int64(), "[1, 9223372036854776]")->View(at).ValueOrDie()),
      AllOf(HasSubstr("'at'"), HasSubstr("9223372036854776"), HasSubstr("milliseconds")));

  // What stands behind a null, or a null list, is nobody's value.
  auto hidden = FromJson(arrow::int64(), "[1, 9223372036854776]")->data()->Copy();
  hidden->type = at;
  hidden->buffers[0] = arrow::Buffer::FromString("\x01");
  hidden->null_count = 1;
  ExpectRoundTrip(schema, {arrow::RecordBatch::Make(schema, 2, {arrow::MakeArray(hidden)})});

  auto shown = hidden->Copy();
  shown->buffers[0] = nullptr;
  shown->null_count = 0;
  const auto singles = arrow::FixedSizeListArray::FromArrays(arrow::MakeArray(shown), 1,
                                                             arrow::Buffer::FromString("\x01"))
                           .ValueOrDie();
  const SchemaPtr lists = arrow::schema({arrow::field("at", singles->type())});
  ExpectRoundTrip(lists, {arrow::RecordBatch::Make(lists, 2, {singles})});
}

TEST(StorageMapping, RefusesNullsInFieldsDeclaredWithoutThem) {
  EXPECT_THAT(StoreError(arrow::schema({arrow::field("id", arrow::int32(), false)}),
                         FromJson(arrow::int32(), "[1, null]")),
              HasSubstr("'id' is declared not to be null"));

  const auto lists = arrow::list(arrow::struct_({arrow::field("x", arrow::int32(), false)}));
  EXPECT_THAT(StoreError(arrow::schema({arrow::field("lists", lists)}),
                         FromJson(lists, R"([[{"x": 1}], null, [null, {"x": null}]])")),
              AllOf(HasSubstr("'lists'"), HasSubstr("'x' is declared not to be null")));

  const auto word = arrow::dictionary(arrow::int8(), arrow::utf8());
  const auto words = arrow::DictionaryArray::FromArrays(word, FromJson(arrow::int8(), "[0, 1]"),
                                                        FromJson(arrow::utf8(), R"(["a", null])"))
                         .ValueOrDie();
  EXPECT_THAT(StoreError(arrow::schema({arrow::field("w", word, false)}), words),
              HasSubstr("'w' is declared not to be null"));
}

TEST(StorageMapping, RefusesBatchesOfAnotherSchema) {
  const SchemaPtr schema = arrow::schema({arrow::field("i", arrow::int32())});
  EXPECT_THAT(StoreError(schema, FromJson(arrow::int64(), "[1]")),
              AllOf(HasSubstr("'i'"), HasSubstr("int64"), HasSubstr("int32")));
  auto mapping = StorageMapping::Make(schema);
  ASSERT_TRUE(mapping.ok());
  const auto column = FromJson(arrow::int32(), "[1]");
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("i", arrow::int32()), arrow::field("j", arrow::int32())}), 1,
      {column, column});
  EXPECT_EQ(KindOf((*mapping)->ToStorage(batch, arrow::default_memory_pool()).status()),
            ErrorKind::kInvalidArgument);
}

TEST(StorageMapping, RefusesNamesThatAreNotUtf8) {
  const auto inner = arrow::field("in\x94ner", arrow::int8());
  for (const auto& field :
       {arrow::field("\xFF", arrow::int8()), arrow::field("outer", arrow::struct_({inner})),
        arrow::field("outer", arrow::list(arrow::struct_({inner})))}) {
    const arrow::Status status = CheckStorable(*arrow::schema({field}));
    EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
    EXPECT_NE(status.message().find("is not valid UTF-8"), std::string::npos) << status;
  }
}

TEST(StorageMapping, RefusesRowsWithoutColumns) {
  const SchemaPtr schema = arrow::schema(arrow::FieldVector{});
  auto mapping = StorageMapping::Make(schema);
  ASSERT_TRUE(mapping.ok());
  const auto batch = arrow::RecordBatch::Make(schema, 3, arrow::ArrayVector{});
  EXPECT_EQ(KindOf((*mapping)->ToStorage(batch, arrow::default_memory_pool()).status()),
            ErrorKind::kInvalidArgument);
}

// ------------------------------------------------------------------------- schemas that are
// refused

struct Refusal {
  std::string name;
  TypePtr type;
  std::string path;  ///< That the sentence names.
  std::string why;   ///< A part of the sentence.
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.name; }

TypePtr NestedLists(int levels) {
  TypePtr type = arrow::int8();
  for (int i = 1; i < levels; ++i) type = arrow::list(type);
  return type;
}

std::vector<Refusal> Refusals() {
  const auto unions = arrow::sparse_union({arrow::field("a", arrow::int8())});
  const auto empty = arrow::struct_(arrow::FieldVector{});
  return {
      {"sparse_union", unions, "'c'", "sparse_union"},
      {"dense_union", arrow::dense_union({arrow::field("a", arrow::int8())}), "'c'", "unions"},
      {"union_in_lists", arrow::list(arrow::large_list(unions)), "'c[][]'", "unions"},
      {"union_in_map_values", arrow::map(arrow::utf8(), unions), "'c.value'", "unions"},
      {"union_in_map_keys", arrow::map(unions, arrow::utf8()), "'c.key'", "unions"},
      {"union_in_dictionary",
       arrow::struct_({arrow::field("d", arrow::dictionary(arrow::int8(), unions))}), "'c.d'",
       "unions"},
      {"union_in_extension", arrow::extension::opaque(unions, "t", "v"), "'c'", "unions"},
      {"run_end_encoded", arrow::run_end_encoded(arrow::int32(), arrow::utf8()), "'c'", "run-end"},
      {"month_interval", arrow::month_interval(), "'c'", "intervals"},
      {"day_time_interval", arrow::day_time_interval(), "'c'", "intervals"},
      {"month_day_nano_interval",
       arrow::struct_({arrow::field("for", arrow::month_day_nano_interval())}), "'c.for'",
       "month_day_nano_interval"},
      {"struct_without_fields", arrow::list(empty), "'c[]'", "structs without fields"},
      {"null_map_keys", arrow::map(arrow::null(), arrow::utf8()), "'c'", "keys of a map"},
      {"decimal_beyond_76_digits", arrow::decimal256(70, -10), "'c'", "76 digits"},
      {"dictionary_of_extension", arrow::dictionary(arrow::int8(), arrow::extension::uuid()), "'c'",
       "dictionaries of extension types"},
      {"too_deep", NestedLists(kSchemaNestingMax + 1), "'c[][]", "64 levels"},
  };
}

class Unstorable : public ::testing::TestWithParam<Refusal> {};

TEST_P(Unstorable, IsRefusedNamingTheField) {
  const SchemaPtr schema =
      arrow::schema({arrow::field("fine", arrow::int8()), arrow::field("c", GetParam().type)});
  const arrow::Status status = CheckStorable(*schema);
  EXPECT_EQ(KindOf(status), ErrorKind::kInvalidArgument);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(GetParam().path), HasSubstr(GetParam().why)));
  EXPECT_FALSE(StorageMapping::Make(schema).ok());
}

INSTANTIATE_TEST_SUITE_P(CheckStorable, Unstorable, ::testing::ValuesIn(Refusals()),
                         [](const auto& info) { return info.param.name; });

TEST(CheckStorable, AllowsSchemasUpToTheLimits) {
  EXPECT_TRUE(
      CheckStorable(*arrow::schema({arrow::field("c", NestedLists(kSchemaNestingMax))})).ok());
  // And they are read again: lists of one item each around a value.
  std::shared_ptr<arrow::Array> column = FromJson(arrow::int8(), "[7]");
  for (int i = 1; i < kSchemaNestingMax; ++i) {
    column =
        arrow::ListArray::FromArrays(*FromJson(arrow::int32(), "[0, 1]"), *column).ValueOrDie();
  }
  const SchemaPtr deep = arrow::schema({arrow::field("c", column->type())});
  ExpectRoundTrip(deep, {arrow::RecordBatch::Make(deep, 1, {column})});

  arrow::FieldVector fields(kSchemaFieldsMax, arrow::field("c", arrow::int8()));
  EXPECT_TRUE(CheckStorable(*arrow::schema(fields)).ok());
  fields.push_back(fields.front());
  EXPECT_EQ(KindOf(CheckStorable(*arrow::schema(fields))), ErrorKind::kInvalidArgument);
}

}  // namespace
}  // namespace hangar
