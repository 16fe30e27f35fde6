#include "client/version_requests.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace hangar::client {
namespace {

using nlohmann::json;

TEST(DropBody, IsTheNameWhereNothingElseIsAskedFor) {
  EXPECT_EQ(DropBody("a/b", {}), "a/b");
  EXPECT_EQ(json::parse(DropBody("{a", {})), json::parse(R"({"dataset": "{a"})"));
  EXPECT_EQ(json::parse(DropBody("a", {.if_version = "v", .purge = true})),
            json::parse(R"({"dataset": "a", "if_version": "v", "purge": true})"));
}

TEST(RenameBody, NamesBoth) {
  EXPECT_EQ(json::parse(RenameBody("a", "b", {})), json::parse(R"({"from": "a", "to": "b"})"));
  EXPECT_EQ(json::parse(RenameBody("a", "b", {.overwrite = true, .if_version = "v"})),
            json::parse(R"({"from": "a", "to": "b", "overwrite": true, "if_version": "v"})"));
}

TEST(RestoreBody, HoldsEveryOption) {
  EXPECT_EQ(json::parse(RestoreBody("a", {.version = "v", .if_version = "w"})),
            json::parse(R"({"dataset": "a", "version": "v", "if_version": "w"})"));
  EXPECT_EQ(json::parse(RestoreBody("a", {.as_of = ParseTimestamp("2026-01-31")})),
            json::parse(R"({"dataset": "a", "as_of": "2026-01-31T00:00:00.000000000Z"})"));
}

TEST(PurgeBody, NamesAVersionOrAll) {
  EXPECT_EQ(json::parse(PurgeBody("a", "")), json::parse(R"({"dataset": "a"})"));
  EXPECT_EQ(json::parse(PurgeBody("a", "v")), json::parse(R"({"dataset": "a", "version": "v"})"));
}

TEST(DatasetBody, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json::parse(DatasetBody("a\xFF"))["dataset"], "a\xEF\xBF\xBD");
}

TEST(ParseVersionInfo, KnowsTheThreeStates) {
  const auto current = ParseVersionInfo(
      R"({"dataset": "a", "version": "v", "modified": "2026-01-31T00:00:00.000000001Z",
          "rows": 2, "bytes": 3, "current": true})");
  ASSERT_TRUE(current.ok()) << current.status();
  EXPECT_EQ(current->dataset, "a");
  EXPECT_EQ(current->version, "v");
  EXPECT_EQ(FormatTimestamp(current->modified), "2026-01-31T00:00:00.000000001Z");
  EXPECT_EQ(current->rows, 2);
  EXPECT_EQ(current->bytes, 3);
  EXPECT_EQ(current->state, VersionState::kCurrent);
  EXPECT_FALSE(current->retired.has_value());

  const auto replaced = ParseVersionInfo(
      R"({"dataset": "a", "version": "v", "current": false, "by": "replaced",
          "retired": "2026-02-01T00:00:00Z"})");
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_EQ(replaced->state, VersionState::kReplaced);
  EXPECT_EQ(FormatTimestamp(*replaced->retired), "2026-02-01T00:00:00.000000000Z");

  EXPECT_EQ(ParseVersionInfo(R"({"dataset": "a", "version": "v", "by": "dropped"})")->state,
            VersionState::kDropped);
}

TEST(ParseDroppedDataset, ReadsWhatTheServerSays) {
  const auto dropped = ParseDroppedDataset(
      R"({"dataset": "a", "version": "v", "dropped": "2026-02-01T00:00:00Z", "rows": 2,
          "bytes": 3})");
  ASSERT_TRUE(dropped.ok()) << dropped.status();
  EXPECT_EQ(dropped->name, "a");
  EXPECT_EQ(dropped->version, "v");
  EXPECT_EQ(FormatTimestamp(dropped->dropped), "2026-02-01T00:00:00.000000000Z");
  EXPECT_EQ(dropped->rows, 2);
  EXPECT_EQ(dropped->bytes, 3);
}

TEST(ParseHistoryStatus, ReadsNumbersAndDurations) {
  const auto status = ParseHistoryStatus(
      R"({"versions": 1, "bytes": 2, "limit_bytes": 3, "keep_versions": 4, "keep_for_seconds": 5,
          "ticket_ttl_seconds": 6})");
  ASSERT_TRUE(status.ok()) << status.status();
  EXPECT_EQ(status->versions, 1);
  EXPECT_EQ(status->bytes, 2);
  EXPECT_EQ(status->limit_bytes, 3);
  EXPECT_EQ(status->keep_versions, 4);
  EXPECT_EQ(status->keep_for, std::chrono::seconds(5));
  EXPECT_EQ(status->ticket_ttl, std::chrono::seconds(6));
}

TEST(ParseCheckedDataset, HasAProblemOnlyWhereTheServerNamesOne) {
  EXPECT_FALSE(ParseCheckedDataset(R"({"dataset": "a"})")->problem.has_value());
  EXPECT_EQ(ParseCheckedDataset(R"({"dataset": "a", "problem": "it is cut short"})")->problem,
            "it is cut short");
}

TEST(ParsePurgeSummary, ReadsWhatWasRemoved) {
  const auto summary = ParsePurgeSummary(R"({"dataset": "a", "versions": 2, "bytes": 3})");
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->dataset, "a");
  EXPECT_EQ(summary->versions, 2);
  EXPECT_EQ(summary->bytes, 3);
}

TEST(ActionResults, ThatAreNotUnderstoodAreErrors) {
  for (const char* answer : {"", "{}", "[1]", "{", R"({"dataset": 1, "versions": "x"})"}) {
    EXPECT_EQ(ErrorCode(ParseDatasetVersion(answer).status()), "INTERNAL") << answer;
    EXPECT_EQ(ErrorCode(ParseVersionInfo(answer).status()), "INTERNAL") << answer;
    EXPECT_EQ(ErrorCode(ParseDroppedDataset(answer).status()), "INTERNAL") << answer;
    EXPECT_EQ(ErrorCode(ParsePurgeSummary(answer).status()), "INTERNAL") << answer;
    EXPECT_EQ(ErrorCode(ParseHistoryStatus(answer).status()), "INTERNAL") << answer;
    EXPECT_EQ(ErrorCode(ParseCheckedDataset(answer).status()), "INTERNAL") << answer;
  }
}

}  // namespace
}  // namespace hangar::client
