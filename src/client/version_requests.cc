#include "client/version_requests.h"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "client/json_fields.h"

namespace hangar::client {
namespace {

using nlohmann::json;

arrow::Status NotUnderstood(const char* action) {
  return Error(ErrorKind::kInternal,
               "the server's answer to {} is not understood; is this client older than the server?",
               action);
}

VersionState StateOf(const json& answer) {
  if (BoolAt(answer, "current")) return VersionState::kCurrent;
  return StringAt(answer, "by") == "dropped" ? VersionState::kDropped : VersionState::kReplaced;
}

}  // namespace

std::string DropBody(const std::string& name, const DropOptions& options) {
  // What begins with a brace is taken for JSON.
  if (options.if_version.empty() && !options.purge && !name.starts_with('{')) return name;
  json body = {{"dataset", name}};
  if (!options.if_version.empty()) body["if_version"] = options.if_version;
  if (options.purge) body["purge"] = true;
  return DumpJson(body);
}

std::string RenameBody(const std::string& from, const std::string& to,
                       const RenameOptions& options) {
  json body = {{"from", from}, {"to", to}};
  if (options.overwrite) body["overwrite"] = true;
  if (!options.if_version.empty()) body["if_version"] = options.if_version;
  return DumpJson(body);
}

std::string DatasetBody(const std::string& name) { return DumpJson({{"dataset", name}}); }

std::string RestoreBody(const std::string& name, const RestoreOptions& options) {
  json body = {{"dataset", name}};
  if (!options.version.empty()) body["version"] = options.version;
  if (options.as_of) body["as_of"] = FormatTimestamp(*options.as_of);
  if (!options.if_version.empty()) body["if_version"] = options.if_version;
  return DumpJson(body);
}

std::string PurgeBody(const std::string& name, const std::string& version) {
  json body = {{"dataset", name}};
  if (!version.empty()) body["version"] = version;
  return DumpJson(body);
}

arrow::Result<DatasetVersion> ParseDatasetVersion(std::string_view result) {
  const json answer = ParseJsonObject(result);
  DatasetVersion out{.dataset = StringAt(answer, "dataset"),
                     .version = StringAt(answer, "version")};
  if (out.dataset.empty() || out.version.empty()) return NotUnderstood("restore_dataset");
  return out;
}

arrow::Result<VersionInfo> ParseVersionInfo(std::string_view result) {
  const json answer = ParseJsonObject(result);
  VersionInfo out{.dataset = StringAt(answer, "dataset"),
                  .version = StringAt(answer, "version"),
                  .modified = TimeAt(answer, "modified").value_or(Time{}),
                  .rows = IntegerAt(answer, "rows", -1),
                  .bytes = IntegerAt(answer, "bytes", -1),
                  .state = StateOf(answer),
                  .retired = TimeAt(answer, "retired")};
  if (out.dataset.empty() || out.version.empty()) return NotUnderstood("list_versions");
  return out;
}

arrow::Result<DroppedDataset> ParseDroppedDataset(std::string_view result) {
  const json answer = ParseJsonObject(result);
  DroppedDataset out{.name = StringAt(answer, "dataset"),
                     .version = StringAt(answer, "version"),
                     .dropped = TimeAt(answer, "dropped").value_or(Time{}),
                     .rows = IntegerAt(answer, "rows", -1),
                     .bytes = IntegerAt(answer, "bytes", -1)};
  if (out.name.empty()) return NotUnderstood("list_trash");
  return out;
}

arrow::Result<PurgeSummary> ParsePurgeSummary(std::string_view result) {
  const json answer = ParseJsonObject(result);
  PurgeSummary out{.dataset = StringAt(answer, "dataset"),
                   .versions = IntegerAt(answer, "versions", -1),
                   .bytes = IntegerAt(answer, "bytes", -1)};
  if (out.dataset.empty() || out.versions < 0) return NotUnderstood("purge_versions");
  return out;
}

arrow::Result<HistoryStatus> ParseHistoryStatus(std::string_view result) {
  const json answer = ParseJsonObject(result);
  HistoryStatus out{.versions = IntegerAt(answer, "versions", -1),
                    .bytes = IntegerAt(answer, "bytes", -1),
                    .limit_bytes = IntegerAt(answer, "limit_bytes", 0),
                    .keep_versions = IntegerAt(answer, "keep_versions", 0),
                    .keep_for = std::chrono::seconds(IntegerAt(answer, "keep_for_seconds", 0)),
                    .ticket_ttl = std::chrono::seconds(IntegerAt(answer, "ticket_ttl_seconds", 0))};
  if (out.versions < 0 || out.bytes < 0) return NotUnderstood("history_status");
  return out;
}

arrow::Result<CheckedDataset> ParseCheckedDataset(std::string_view result) {
  const json answer = ParseJsonObject(result);
  CheckedDataset out{.name = StringAt(answer, "dataset"),
                     .version = StringAt(answer, "version"),
                     .rows = IntegerAt(answer, "rows", -1),
                     .bytes = IntegerAt(answer, "bytes", -1)};
  if (answer.contains("problem")) out.problem = StringAt(answer, "problem");
  if (out.name.empty()) return NotUnderstood("check_dataset");
  return out;
}

}  // namespace hangar::client
