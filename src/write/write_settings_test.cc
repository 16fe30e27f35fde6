#include "write/write_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/properties.h>

#include "base/error.h"

namespace hangar {
namespace {

using ::testing::HasSubstr;

std::string ErrorOf(const WriteSettings& settings) {
  const auto properties = MakeWriterProperties(settings, /*columns=*/7);
  EXPECT_FALSE(properties.ok());
  EXPECT_EQ(KindOf(properties.status()), ErrorKind::kInvalidArgument);
  return properties.status().message();
}

TEST(WriteSettings, DefaultsAreZstdLevelOneWithChecksumsAndPageIndex) {
  const auto properties = MakeWriterProperties({}, /*columns=*/7);
  ASSERT_TRUE(properties.ok());
  const auto column = parquet::schema::ColumnPath::FromDotString("any");
  EXPECT_EQ((*properties)->compression(column), arrow::Compression::ZSTD);
  EXPECT_EQ((*properties)->compression_level(column), 1);
  EXPECT_EQ((*properties)->max_row_group_length(), 1 << 20);
  EXPECT_TRUE((*properties)->page_checksum_enabled());
  EXPECT_TRUE((*properties)->page_index_enabled(column));
}

TEST(WriteSettings, WideFilesGetSmallerPagesAndDictionaries) {
  const auto narrow = MakeWriterProperties({}, /*columns=*/7);
  const auto wide = MakeWriterProperties({}, /*columns=*/200);
  ASSERT_TRUE(narrow.ok() && wide.ok());
  EXPECT_EQ((*narrow)->dictionary_pagesize_limit(), 1 << 20);
  EXPECT_EQ((*narrow)->data_pagesize(), 1 << 20);
  EXPECT_LE((*wide)->dictionary_pagesize_limit(), (32 << 20) / 200);
  EXPECT_LE((*wide)->data_pagesize(), (32 << 20) / 200);
  EXPECT_GT((*MakeWriterProperties({}, /*columns=*/100'000))->data_pagesize(), 0);
}

TEST(WriteSettings, EveryCodecThatIsNamedExists) {
  for (const char* codec : {"zstd", "snappy", "lz4", "gzip", "brotli", "none"}) {
    EXPECT_TRUE(MakeWriterProperties({.codec = codec}, /*columns=*/7).ok()) << codec;
  }
  EXPECT_TRUE(MakeWriterProperties({.codec = "zstd", .level = 9}, /*columns=*/7).ok());
}

TEST(WriteSettings, RefusesWhatDoesNotExistAndSaysWhatDoes) {
  EXPECT_THAT(ErrorOf({.codec = "lzo"}), HasSubstr("the codecs are zstd"));
  EXPECT_THAT(ErrorOf({.codec = "snappy", .level = 1}), HasSubstr("has no levels"));
  EXPECT_THAT(ErrorOf({.level = 99}), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf({.level = int64_t{1} << 40}), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf({.row_group_rows = 0}), HasSubstr("must be 1 to"));
  EXPECT_THAT(ErrorOf({.row_group_rows = int64_t{1} << 31}), HasSubstr("must be 1 to"));
}

}  // namespace
}  // namespace hangar
