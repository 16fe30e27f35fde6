#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>
#include <arrow/io/memory.h>
#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include "base/error.h"
#include "schema/schema_metadata.h"
#include "schema/storage_mapping.h"
#include "tests/support/parquet_files.h"
#include "tests/support/random_arrays.h"

namespace hangar {
namespace {

using arrow::TimeUnit;
using testing::Load;
using testing::RandomArray;
using testing::RandomType;
using testing::Rows;
using testing::Store;
using testing::WriteParquet;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using SchemaPtr = std::shared_ptr<arrow::Schema>;
using TypePtr = std::shared_ptr<arrow::DataType>;

BatchPtr BatchFromJson(const SchemaPtr& schema, const std::vector<std::string>& columns) {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < columns.size(); ++i) {
    arrays.push_back(
        arrow::json::ArrayFromJSONString(schema->field(static_cast<int>(i))->type(), columns[i])
            .ValueOrDie());
  }
  return arrow::RecordBatch::Make(schema, arrays[0]->length(), arrays);
}

void ExpectSameSchema(const arrow::Schema& got, const arrow::Schema& wanted) {
  EXPECT_TRUE(got.Equals(wanted, /*check_metadata=*/true))
      << "got " << got.ToString(/*show_metadata=*/true) << "\nwanted "
      << wanted.ToString(/*show_metadata=*/true);
}

// A file of Arrow's writer that claims these schemas; an empty string claims nothing.
arrow::Result<std::shared_ptr<arrow::Buffer>> Claim(const arrow::RecordBatchVector& batches,
                                                    const std::string& arrow_schema,
                                                    const std::string& hangar_schema) {
  arrow::KeyValueMetadata claims;
  if (!arrow_schema.empty()) claims.Append("ARROW:schema", arrow_schema);
  if (!hangar_schema.empty()) claims.Append("hangar:schema", hangar_schema);
  return WriteParquet(batches[0]->schema()->WithMetadata(claims.Copy()), batches,
                      /*store_schema=*/false);
}

TEST(ReadMapping, GivesFilesOfArrowsOwnWriterTheirSchemaBack) {
  // pyarrow writes these, and for some of them cannot read what it wrote.
  const SchemaPtr schema = arrow::schema(
      {arrow::field("pairs", arrow::fixed_size_list(arrow::int8(), 2)),
       arrow::field("word", arrow::dictionary(arrow::int8(), arrow::utf8(), true)),
       arrow::field("number", arrow::dictionary(arrow::int8(), arrow::int64())),
       arrow::field("words", arrow::list(arrow::dictionary(arrow::int16(), arrow::utf8()))),
       arrow::field("views", arrow::list_view(arrow::field("x", arrow::utf8_view()))),
       arrow::field("day", arrow::date64()),
       arrow::field("at", arrow::timestamp(TimeUnit::SECOND, "Europe/Paris")),
       arrow::field("clock", arrow::time32(TimeUnit::SECOND)),
       arrow::field("took", arrow::duration(TimeUnit::NANO)),
       arrow::field("id", arrow::extension::uuid()), arrow::field("price", arrow::decimal32(7, 2))},
      arrow::key_value_metadata({"pandas"}, {"{}"}));
  std::mt19937_64 random(3);
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    // Arrow stores a date64 in 32 bits of days.
    auto type = field->type()->id() == arrow::Type::DATE64 ? arrow::null() : field->type();
    columns.push_back(RandomArray(type, {100, 0.3}, random));
    if (type->id() == arrow::Type::NA) {
      columns.back() = arrow::MakeArrayOfNull(field->type(), 100).ValueOrDie();
    }
  }
  const auto batch = arrow::RecordBatch::Make(schema, 100, columns);
  auto file = WriteParquet(schema, {batch}, /*store_schema=*/true);
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(*loaded->schema, *schema);
  EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
}

TEST(ReadMapping, DerivesTheSchemaOfFilesWithoutArrows) {
  const SchemaPtr schema = arrow::schema(
      {arrow::field("n", arrow::int32(), true,
                    arrow::key_value_metadata({"PARQUET:field_id"}, {"4"})),
       arrow::field("at", arrow::timestamp(TimeUnit::MICRO, "Asia/Tokyo")),
       arrow::field("id", arrow::extension::uuid()), arrow::field("doc", arrow::extension::json()),
       arrow::field("l", arrow::large_list(arrow::field("x", arrow::large_utf8())))},
      arrow::key_value_metadata({"made by"}, {"someone"}));
  std::mt19937_64 random(3);
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    columns.push_back(RandomArray(field->type(), {20, 0.3}, random));
  }
  const auto batch = arrow::RecordBatch::Make(schema, 20, columns);
  auto file = WriteParquet(schema, {batch}, /*store_schema=*/false);
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(
      *loaded->schema,
      *arrow::schema({schema->field(0),  // The file's own field id.
                      arrow::field("at", arrow::timestamp(TimeUnit::MICRO, "UTC")),
                      arrow::field("id", arrow::extension::uuid()),
                      arrow::field("doc", arrow::extension::json()),
                      arrow::field("l", arrow::list(arrow::field("element", arrow::utf8())))},
                     schema->metadata()));
  EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
}

TEST(ReadMapping, IgnoresSchemasThatAreDamaged) {
  const SchemaPtr schema = arrow::schema({arrow::field("n", arrow::int32())});
  const auto batch = BatchFromJson(schema, {"[1, null, 3]"});
  const std::string good = EncodeSchema(*schema).ValueOrDie();
  std::string flipped = good;
  flipped[flipped.size() / 2] = flipped[flipped.size() / 2] == 'A' ? 'B' : 'A';
  for (const std::string& damaged :
       {std::string("no base64 !"), std::string("AAAA"), good.substr(0, 40),
        good.substr(0, good.size() / 8 * 4), std::string(100'000, 'A')}) {
    for (const bool own : {false, true}) {
      auto file = Claim({batch}, damaged, own ? damaged : "");
      ASSERT_TRUE(file.ok()) << file.status();
      auto loaded = Load(*file);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      ExpectSameSchema(*loaded->schema, *schema);
      EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
    }
  }
}

TEST(ReadMapping, IgnoresClaimsThatDoNotFitTheColumns) {
  const SchemaPtr schema =
      arrow::schema({arrow::field("n", arrow::int32()), arrow::field("s", arrow::utf8()),
                     arrow::field("l", arrow::list(arrow::field("element", arrow::int64())))});
  const auto batch = BatchFromJson(schema, {"[1, null]", R"(["a", ""])", "[[1, 2], null]"});
  const std::vector<arrow::FieldVector> lies = {
      {},                                                      // Too few.
      {schema->field(0), schema->field(2), schema->field(1)},  // In another order.
      {arrow::field("n", arrow::utf8()), arrow::field("s", arrow::binary()),
       arrow::field("l", arrow::map(arrow::utf8(), arrow::utf8()))},
      {arrow::field("n", arrow::int32(), false), arrow::field("s", arrow::utf8(), false),
       arrow::field("l", arrow::list(arrow::field("element", arrow::int64(), false)), false)},
      {arrow::field("n", arrow::date64()), arrow::field("s", arrow::extension::uuid()),
       arrow::field("l", arrow::sparse_union({arrow::field("a", arrow::int8())}))},
      {arrow::field("m", arrow::int32()), arrow::field("s", arrow::float16()),
       arrow::field("l", arrow::list(arrow::utf8()))},
  };
  for (const auto& lie : lies) {
    const SchemaPtr claimed = arrow::schema(lie);
    SCOPED_TRACE(claimed->ToString());
    const std::string encoded = EncodeSchema(*claimed).ValueOrDie();
    for (const auto& [arrow_schema, hangar_schema] :
         std::vector<std::pair<std::string, std::string>>{
             {encoded, ""}, {encoded, encoded}, {"", encoded}}) {
      auto file = Claim({batch}, arrow_schema, hangar_schema);
      ASSERT_TRUE(file.ok()) << file.status();
      auto loaded = Load(*file);
      ASSERT_TRUE(loaded.ok()) << loaded.status();
      ExpectSameSchema(*loaded->schema, *schema);
      EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
    }
  }
}

TEST(ReadMapping, IgnoresItsOwnKeyInFilesThatOthersRewrote) {
  // As pyarrow does it: the unknown key is carried along although the table is another one.
  const SchemaPtr old_schema = arrow::schema({arrow::field("day", arrow::date64())},
                                             arrow::key_value_metadata({"state"}, {"old"}));
  const SchemaPtr new_schema =
      arrow::schema({arrow::field("day", arrow::timestamp(TimeUnit::MILLI))},
                    arrow::key_value_metadata({"state"}, {"new"}));
  const auto batch = BatchFromJson(new_schema, {"[1, null]"});
  auto file = Claim({batch}, EncodeSchema(*new_schema).ValueOrDie(),
                    EncodeSchema(*old_schema).ValueOrDie());
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  ExpectSameSchema(*loaded->schema, *new_schema);
  EXPECT_EQ(Rows(loaded->batches), Rows({batch}));
}

TEST(ReadMapping, ReportsValuesThatContradictTheClaimedType) {
  const SchemaPtr schema =
      arrow::schema({arrow::field("l", arrow::list(arrow::field("element", arrow::int64())))});
  const auto batch = BatchFromJson(schema, {"[[1, 2], [3]]"});
  const std::string claim =
      EncodeSchema(*arrow::schema({arrow::field("l", arrow::fixed_size_list(arrow::int64(), 2))}))
          .ValueOrDie();
  auto file = Claim({batch}, claim, "");
  ASSERT_TRUE(file.ok()) << file.status();
  auto loaded = Load(*file);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(KindOf(loaded.status()), ErrorKind::kDataLoss);
}

TEST(ReadMapping, SurvivesRandomClaims) {
  // Either the values come back, in a type that fits them, or there is an error; Load validates.
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    arrow::FieldVector fields;
    arrow::FieldVector claimed;
    for (int i = 0; i < 3; ++i) {
      const std::string name(1, static_cast<char>('a' + i));
      fields.push_back(arrow::field(name, RandomType(i, random)));
      claimed.push_back(arrow::field(name, RandomType(i, random), (random() & 1) == 0));
    }
    const SchemaPtr schema = arrow::schema(fields);
    if (!CheckStorable(*schema).ok()) continue;
    arrow::ArrayVector columns;
    for (const auto& field : fields)
      columns.push_back(RandomArray(field->type(), {40, 0.2}, random));
    const auto batch = arrow::RecordBatch::Make(schema, 40, columns);
    auto mapping = StorageMapping::Make(schema);
    ASSERT_TRUE(mapping.ok()) << mapping.status();
    auto stored = (*mapping)->ToStorage(batch, arrow::default_memory_pool());
    ASSERT_TRUE(stored.ok()) << stored.status();
    std::string claim = EncodeSchema(*arrow::schema(claimed)).ValueOrDie();
    if (seed % 4 == 0) claim[random() % claim.size()] = 'Q';
    auto file = Claim({*stored}, claim, seed % 2 == 0 ? claim : "");
    ASSERT_TRUE(file.ok()) << file.status();
    auto loaded = Load(*file);
    if (!loaded.ok()) continue;
    EXPECT_EQ(Rows(loaded->batches).size(), 40U);
  }
}

TEST(ReadableFooter, IsTheSameFooterForFilesThatAreWellRead) {
  const SchemaPtr schema = arrow::schema(
      {arrow::field("n", arrow::int32()), arrow::field("l", arrow::list(arrow::utf8())),
       arrow::field("w", arrow::dictionary(arrow::int32(), arrow::utf8())),
       arrow::field("at", arrow::timestamp(TimeUnit::SECOND))});
  auto file = Store(schema, {});
  ASSERT_TRUE(file.ok()) << file.status();
  const auto footer =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(*file))
          ->metadata();
  auto readable = ReadableFooter(footer);
  ASSERT_TRUE(readable.ok()) << readable.status();
  EXPECT_EQ(*readable, footer);
}

TEST(ReadableFooter, KeepsRowGroupsAndWriter) {
  const SchemaPtr schema = arrow::schema({arrow::field("n", arrow::int32())});
  std::mt19937_64 random(3);
  const auto batch =
      arrow::RecordBatch::Make(schema, 300, {RandomArray(arrow::int32(), {300, 0.1}, random)});
  auto file = Claim({batch}, "damaged", "");
  ASSERT_TRUE(file.ok()) << file.status();
  const auto footer =
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(*file))
          ->metadata();
  auto readable = ReadableFooter(footer);
  ASSERT_TRUE(readable.ok()) << readable.status();
  EXPECT_NE(*readable, footer);
  EXPECT_EQ((*readable)->num_rows(), 300);
  EXPECT_EQ((*readable)->num_row_groups(), footer->num_row_groups());
  EXPECT_EQ((*readable)->created_by(), footer->created_by());
  EXPECT_TRUE((*readable)->schema()->Equals(*footer->schema()));
  EXPECT_TRUE((*readable)->RowGroup(1)->Equals(*footer->RowGroup(1)));
}

}  // namespace
}  // namespace hangar
