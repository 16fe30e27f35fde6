#include "client/requests.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "client/client.h"

namespace hangar::client {
namespace {

using arrow::flight::FlightDescriptor;
using nlohmann::json;

TEST(GetDescriptor, IsAPathWhenNothingIsAskedFor) {
  EXPECT_EQ(GetDescriptor("a/b.parquet", {}), FlightDescriptor::Path({"a/b.parquet"}));
}

TEST(GetDescriptor, HoldsEveryOption) {
  const auto descriptor = GetDescriptor("a", {.columns = {{"x", "y"}},
                                              .offset = 3,
                                              .limit = 0,
                                              .partitions = 4,
                                              .version = "v1",
                                              .compression = "lz4"});
  ASSERT_EQ(descriptor.type, FlightDescriptor::CMD);
  EXPECT_EQ(json::parse(descriptor.cmd),
            json::parse(R"({"dataset": "a", "columns": ["x", "y"], "offset": 3, "limit": 0,
                            "partitions": 4, "version": "v1", "compression": "lz4"})"));
}

TEST(GetDescriptor, HoldsATimeInNanoseconds) {
  GetOptions options;
  options.as_of = ParseTimestamp("2026-01-31T23:59:59.000000001Z");
  EXPECT_EQ(json::parse(GetDescriptor("a", options).cmd),
            json::parse(R"({"dataset": "a", "as_of": "2026-01-31T23:59:59.000000001Z"})"));
}

TEST(VersionDescriptor, IsAPathForTheCurrentVersion) {
  EXPECT_EQ(VersionDescriptor("a/b", {}), FlightDescriptor::Path({"a/b"}));
  EXPECT_EQ(json::parse(VersionDescriptor("a", {.version = "v"}).cmd),
            json::parse(R"({"dataset": "a", "version": "v"})"));
  EXPECT_EQ(json::parse(VersionDescriptor("a", {.as_of = ParseTimestamp("2026-01-31")}).cmd),
            json::parse(R"({"dataset": "a", "as_of": "2026-01-31T00:00:00.000000000Z"})"));
}

TEST(PutDescriptor, HoldsEveryOption) {
  const auto descriptor = PutDescriptor("a", {.create = true,
                                              .if_version = "v1",
                                              .codec = "zstd",
                                              .level = 3,
                                              .row_group_rows = 10,
                                              .upload_id = "u",
                                              .on_progress = {}});
  EXPECT_EQ(json::parse(descriptor.cmd),
            json::parse(R"({"dataset": "a", "mode": "create", "if_version": "v1",
                            "codec": "zstd", "level": 3, "row_group_rows": 10,
                            "upload_id": "u"})"));
  EXPECT_EQ(PutDescriptor("a", {}), FlightDescriptor::Path({"a"}));
}

TEST(GetDescriptor, ReplacesBytesThatAreNotUtf8) {
  const auto descriptor = GetDescriptor("a\xFF", {.columns = {}, .limit = 1});
  EXPECT_EQ(json::parse(descriptor.cmd)["dataset"], "a\xEF\xBF\xBD");
}

TEST(ListCriteria, HoldsThePageAndWhatIsAskedFor) {
  EXPECT_EQ(
      json::parse(ListCriteria({.prefix = "p", .glob = "g*", .after = "", .limit = {}}, "z", 1000)),
      json::parse(R"({"prefix": "p", "glob": "g*", "after": "z", "limit": 1000})"));
}

TEST(ParsePutSummary, ReadsTheAnswerAndRefusesAnother) {
  const auto summary =
      ParsePutSummary(R"({"dataset": "a", "version": "v", "rows": 2, "bytes": 3})");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->dataset, "a");
  EXPECT_EQ(summary->version, "v");
  EXPECT_EQ(summary->rows, 2);
  EXPECT_EQ(summary->bytes, 3);
  EXPECT_FALSE(summary->repeated);
  EXPECT_TRUE(ParsePutSummary(R"({"dataset": "a", "version": "v", "rows": 2, "repeated": true})")
                  ->repeated);
  for (const char* answer : {"", "{}", "[1]", "{\"dataset\": \"a\"}", "{"}) {
    EXPECT_EQ(ErrorCode(ParsePutSummary(answer).status()), "INTERNAL") << answer;
  }
}

arrow::flight::FlightInfo MakeInfo(const std::string& metadata) {
  return *arrow::flight::FlightInfo::Make(*arrow::schema({arrow::field("x", arrow::int8())}),
                                          FlightDescriptor::Path({"a", "b"}), {}, 7, 8, true,
                                          metadata);
}

TEST(ParseFlightInfo, ReadsWhatTheServerSays) {
  const auto dataset = ParseFlightInfo(MakeInfo(
      R"({"dataset": "a/b", "version": "v", "modified": "2026-01-31T23:59:59.000000001Z",
          "row_groups": 2})"));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->name, "a/b");
  EXPECT_EQ(dataset->version, "v");
  EXPECT_EQ(FormatTimestamp(dataset->modified), "2026-01-31T23:59:59.000000001Z");
  EXPECT_EQ(dataset->row_groups, 2);
  EXPECT_FALSE(dataset->retired.has_value());
  EXPECT_EQ(dataset->rows, 7);
  EXPECT_EQ(dataset->bytes, 8);
  EXPECT_EQ(dataset->schema->ToString(), "x: int8");
}

TEST(ParseFlightInfo, TellsWhenAVersionWasRetired) {
  const auto dataset =
      ParseFlightInfo(MakeInfo(R"({"dataset": "a", "retired": "2026-01-31T23:59:59.5Z"})"));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  ASSERT_TRUE(dataset->retired.has_value());
  EXPECT_EQ(FormatTimestamp(*dataset->retired), "2026-01-31T23:59:59.500000000Z");
}

TEST(ParseFlightInfo, TakesTheNameFromThePathOfAnotherServer) {
  const auto dataset = ParseFlightInfo(MakeInfo("\x01 not json"));
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->name, "a/b");
  EXPECT_EQ(dataset->version, "");
}

TEST(FileDescriptors, AskForTheFileItself) {
  EXPECT_EQ(json::parse(GetFileDescriptor("a", {}).cmd),
            json({{"dataset", "a"}, {"format", "parquet"}}));
  EXPECT_EQ(json::parse(GetFileDescriptor("a", {.version = "v", .partitions = 4}).cmd),
            json({{"dataset", "a"}, {"format", "parquet"}, {"version", "v"}, {"partitions", 4}}));
  EXPECT_EQ(json::parse(PutFileDescriptor("a", {}).cmd),
            json({{"dataset", "a"}, {"format", "parquet"}}));
  EXPECT_EQ(json::parse(
                PutFileDescriptor("a", {.create = true, .if_version = "v", .upload_id = "i"}).cmd),
            json({{"dataset", "a"},
                  {"format", "parquet"},
                  {"mode", "create"},
                  {"if_version", "v"},
                  {"upload_id", "i"}}));
}

TEST(FormatFailure, IsUnimplementedForAServerThatDoesNotKnowTheKey) {
  const arrow::Status unknown =
      Error(ErrorKind::kInvalidArgument, "the command has the unknown key 'format'");
  EXPECT_EQ(ErrorCode(FormatFailure(unknown)), "UNIMPLEMENTED");
  for (const arrow::Status& other : {Error(ErrorKind::kNotFound, "no dataset 'format'"),
                                     Error(ErrorKind::kInvalidArgument, "no Parquet file")}) {
    EXPECT_EQ(FormatFailure(other), other);
  }
}

}  // namespace
}  // namespace hangar::client
