#include "write/write_settings.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<parquet::SchemaDescriptor> Columns(const arrow::FieldVector& fields) {
  std::shared_ptr<parquet::SchemaDescriptor> columns;
  EXPECT_TRUE(parquet::arrow::ToParquetSchema(arrow::schema(fields).get(),
                                              *parquet::default_writer_properties(), &columns)
                  .ok());
  return columns;
}

std::shared_ptr<parquet::SchemaDescriptor> SomeColumns() {
  return Columns({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8()),
                  arrow::field("place", arrow::struct_({arrow::field("x", arrow::float64()),
                                                        arrow::field("y", arrow::float64())}))});
}

std::string ErrorOf(const WriteSettings& settings) {
  const auto leaves = SettingsOfLeaves(settings, *SomeColumns());
  EXPECT_FALSE(leaves.ok());
  EXPECT_EQ(KindOf(leaves.status()), ErrorKind::kInvalidArgument);
  return leaves.status().message();
}

TEST(WriteSettings, NothingIsSettledUnlessItIsAskedFor) {
  const auto leaves = SettingsOfLeaves({}, *SomeColumns());
  ASSERT_TRUE(leaves.ok()) << leaves.status();
  ASSERT_EQ(leaves->size(), 4U);
  for (const LeafSettings& leaf : *leaves) {
    EXPECT_FALSE(leaf.wish.codec.has_value());
    EXPECT_FALSE(leaf.wish.encoding.has_value());
  }
}

TEST(WriteSettings, ACodecIsForEveryColumnAndALevelAloneMeansZstd) {
  const auto gzip = SettingsOfLeaves({.codec = "gzip"}, *SomeColumns());
  const auto level = SettingsOfLeaves({.level = 9}, *SomeColumns());
  const auto zstd = SettingsOfLeaves({.codec = "zstd"}, *SomeColumns());
  ASSERT_TRUE(gzip.ok() && level.ok() && zstd.ok());
  for (const LeafSettings& leaf : *gzip) {
    EXPECT_EQ(leaf.wish.codec->type, arrow::Compression::GZIP);
  }
  EXPECT_EQ(level->front().wish.codec->type, arrow::Compression::ZSTD);
  EXPECT_EQ(level->front().wish.codec->level, 9);
  EXPECT_EQ(zstd->front().wish.codec->level, 1);
}

TEST(WriteSettings, AnEncodingIsForAFieldWithAllThatIsNestedInItOrForOneParquetColumn) {
  const auto leaves = SettingsOfLeaves(
      {.encodings = {{"id", "delta"}, {"place", "byte_stream_split"}}}, *SomeColumns());
  ASSERT_TRUE(leaves.ok()) << leaves.status();
  EXPECT_EQ((*leaves)[0].wish.encoding, ColumnEncoding::kDelta);
  EXPECT_FALSE((*leaves)[1].wish.encoding.has_value());
  EXPECT_EQ((*leaves)[2].wish.encoding, ColumnEncoding::kByteStreamSplit);
  EXPECT_EQ((*leaves)[3].wish.encoding, ColumnEncoding::kByteStreamSplit);
  const auto one = SettingsOfLeaves({.encodings = {{"place.y", "plain"}}}, *SomeColumns());
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_FALSE((*one)[2].wish.encoding.has_value());
  EXPECT_EQ((*one)[3].wish.encoding, ColumnEncoding::kPlain);
}

TEST(WriteSettings, ColumnsOfOnePathAreWrittenAlike) {
  const auto columns = Columns({arrow::field("a", arrow::int64()), arrow::field("b", arrow::utf8()),
                                arrow::field("a", arrow::utf8())});
  const auto leaves = SettingsOfLeaves({}, *columns);
  ASSERT_TRUE(leaves.ok()) << leaves.status();
  ASSERT_TRUE((*leaves)[0].wish.codec.has_value() && (*leaves)[2].wish.codec.has_value());
  EXPECT_EQ((*leaves)[0].wish.codec->type, (*leaves)[2].wish.codec->type);
  EXPECT_FALSE((*leaves)[1].wish.codec.has_value());
}

TEST(WriteSettings, WideFilesGetSmallerPagesAndDictionaries) {
  const auto narrow = SettingsOfLeaves({}, *SomeColumns());
  arrow::FieldVector fields;
  for (int i = 0; i < 200; ++i) fields.push_back(arrow::field(std::to_string(i), arrow::int64()));
  const auto wide = SettingsOfLeaves({}, *Columns(fields));
  ASSERT_TRUE(narrow.ok() && wide.ok());
  EXPECT_EQ(narrow->front().page_bytes, 1 << 20);
  EXPECT_EQ(narrow->front().wish.dictionary_bytes_max, 1 << 20);
  EXPECT_LE(wide->front().page_bytes, (32 << 20) / 200);
  EXPECT_LE(wide->front().wish.dictionary_bytes_max, (64 << 20) / 200);
  EXPECT_GE(wide->front().page_bytes, 32 << 10);
}

TEST(WriteSettings, EveryCodecThatIsNamedExists) {
  for (const char* codec : {"zstd", "snappy", "lz4", "gzip", "brotli", "none"}) {
    EXPECT_TRUE(CheckSettings({.codec = codec}).ok()) << codec;
  }
}

TEST(WriteSettings, RefusesWhatDoesNotExistAndSaysWhatDoes) {
  EXPECT_THAT(ErrorOf({.codec = "lzo"}), HasSubstr("the codecs are zstd"));
  EXPECT_THAT(ErrorOf({.codec = "snappy", .level = 1}), HasSubstr("has no levels"));
  EXPECT_THAT(ErrorOf({.level = 99}), HasSubstr("zstd has levels"));
  EXPECT_THAT(ErrorOf({.level = int64_t{1} << 40}), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf({.row_group_rows = 0}), HasSubstr("must be 1 to"));
  EXPECT_THAT(ErrorOf({.row_group_rows = int64_t{1} << 31}), HasSubstr("must be 1 to"));
  EXPECT_THAT(ErrorOf({.encodings = {{"id", "rle"}}}), HasSubstr("'rle'"));
  EXPECT_THAT(ErrorOf({.encodings = {{"no", "plain"}}}), HasSubstr("'no'"));
  EXPECT_THAT(ErrorOf({.encodings = {{"text", "byte_stream_split"}}}), HasSubstr("'text'"));
  EXPECT_THAT(ErrorOf({.encodings = {{"place", "delta"}}}), HasSubstr("'place'"));
}

}  // namespace
}  // namespace hangar
