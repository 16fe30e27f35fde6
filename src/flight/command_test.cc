#include "flight/command.h"

#include <string>

#include <arrow/flight/types.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace hangar {
namespace {

using arrow::flight::FlightDescriptor;
using ::testing::HasSubstr;

template <typename T>
std::string ErrorOf(const arrow::Result<T>& result) {
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(KindOf(result.status()), ErrorKind::kInvalidArgument);
  return result.status().message();
}

TEST(ReadDescriptor, PathPartsAreJoined) {
  EXPECT_EQ(ParseReadDescriptor(FlightDescriptor::Path({"a/b.parquet"}))->read.dataset,
            "a/b.parquet");
  EXPECT_EQ(ParseReadDescriptor(FlightDescriptor::Path({"a", "b.parquet"}))->read.dataset,
            "a/b.parquet");
  EXPECT_EQ(ParseUploadDescriptor(FlightDescriptor::Path({"a", "b"}))->upload.dataset, "a/b");
}

TEST(ReadDescriptor, TakesEveryKey) {
  const auto command = ParseReadDescriptor(FlightDescriptor::Command(
      R"({"dataset": "d", "version": "v", "columns": ["x", "y"], "offset": 1, "limit": 2,
          "partitions": 3, "compression": "zstd"})"));
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->read.dataset, "d");
  EXPECT_EQ(command->read.version, "v");
  EXPECT_EQ(command->read.columns, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(command->read.offset_rows, 1);
  EXPECT_EQ(command->read.limit_rows, 2);
  EXPECT_EQ(command->partitions, 3);
  EXPECT_EQ(command->compression, WireCompression::kZstd);
}

TEST(ReadDescriptor, RefusesEmptyOnesAndCommandsThatAreNotObjects) {
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor{})), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor::Path({}))), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor::Command(""))), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor::Command("SELECT 1"))),
              HasSubstr("'SELECT 1'"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor::Command("{}"))),
              HasSubstr("'dataset'"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "mode": "create"})"))),
              HasSubstr("'mode'"));
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "compression": "lzo"})"))),
              HasSubstr("'lzo'"));
}

TEST(UploadDescriptor, TakesEveryKey) {
  const auto command = ParseUploadDescriptor(FlightDescriptor::Command(
      R"({"dataset": "d", "mode": "create", "if_version": "v", "codec": "gzip", "level": 4,
          "row_group_rows": 5, "encodings": {"x": "delta"}})"));
  ASSERT_TRUE(command.ok()) << command.status();
  const UploadRequest& request = command->upload;
  EXPECT_EQ(request.encodings, (std::map<std::string, std::string>{{"x", "delta"}}));
  EXPECT_THAT(ErrorOf(ParseUploadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "encodings": {"x": 1}})"))),
              HasSubstr("'encodings'"));
  EXPECT_EQ(request.dataset, "d");
  EXPECT_EQ(request.mode, UploadMode::kCreate);
  EXPECT_EQ(request.if_version, "v");
  EXPECT_EQ(request.codec, "gzip");
  EXPECT_EQ(request.level, 4);
  EXPECT_EQ(request.row_group_rows, 5);
  EXPECT_THAT(ErrorOf(ParseUploadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "mode": "append"})"))),
              HasSubstr("'append'"));
  EXPECT_THAT(ErrorOf(ParseUploadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "columns": []})"))),
              HasSubstr("'columns'"));
}

TEST(Descriptors, TakeTheFormatOfAFileAsItIs) {
  const auto upload =
      ParseUploadDescriptor(FlightDescriptor::Command(R"({"dataset": "d", "format": "parquet"})"));
  ASSERT_TRUE(upload.ok()) << upload.status();
  EXPECT_EQ(upload->format, DataFormat::kParquet);
  const auto read = ParseReadDescriptor(
      FlightDescriptor::Command(R"({"dataset": "d", "format": "parquet", "partitions": 4})"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->format, DataFormat::kParquet);
  EXPECT_EQ(read->partitions, 4);
  EXPECT_THAT(ErrorOf(ParseReadDescriptor(
                  FlightDescriptor::Command(R"({"dataset": "d", "format": "csv"})"))),
              HasSubstr("'csv'"));
  for (const char* narrowed :
       {R"("columns": ["x"])", R"("offset": 1)", R"("limit": 1)", R"("compression": "lz4")"}) {
    EXPECT_THAT(ErrorOf(ParseReadDescriptor(FlightDescriptor::Command(
                    std::string(R"({"dataset": "d", "format": "parquet", )") + narrowed + "}"))),
                HasSubstr("given as it is"))
        << narrowed;
  }
}

TEST(Criteria, EmptyIsEverything) {
  const auto all = ParseCriteria("");
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all->limit, std::nullopt);
  const auto some = ParseCriteria(R"({"prefix": "p", "glob": "g", "after": "a", "limit": 7})");
  ASSERT_TRUE(some.ok());
  EXPECT_EQ(some->prefix, "p");
  EXPECT_EQ(some->glob, "g");
  EXPECT_EQ(some->after, "a");
  EXPECT_EQ(some->limit, 7);
  EXPECT_THAT(ErrorOf(ParseCriteria("trips*")), HasSubstr("criteria"));
  EXPECT_THAT(ErrorOf(ParseCriteria(R"({"offset": 1})")), HasSubstr("'offset'"));
}

}  // namespace
}  // namespace hangar
