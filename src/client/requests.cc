#include "client/requests.h"

#include <optional>
#include <utility>
#include <vector>

#include <arrow/ipc/dictionary.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "client/json_fields.h"

namespace hangar::client {
namespace {

using arrow::flight::FlightDescriptor;
using nlohmann::json;

std::string JoinPath(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

void AddChoice(const std::string& version, const std::optional<Time>& as_of, json* command) {
  if (!version.empty()) (*command)["version"] = version;
  if (as_of) (*command)["as_of"] = FormatTimestamp(*as_of);
}

void AddUpload(bool create, const std::string& if_version, const std::string& upload_id,
               json* command) {
  if (create) (*command)["mode"] = "create";
  if (!if_version.empty()) (*command)["if_version"] = if_version;
  if (!upload_id.empty()) (*command)["upload_id"] = upload_id;
}

// Without any option the plain name is sent, which every Flight server understands.
FlightDescriptor DescriptorOf(const std::string& name, json command) {
  if (command.empty()) return FlightDescriptor::Path({name});
  command["dataset"] = name;
  return FlightDescriptor::Command(DumpJson(command));
}

}  // namespace

FlightDescriptor GetDescriptor(const std::string& name, const GetOptions& options) {
  json command = json::object();
  if (options.columns) command["columns"] = *options.columns;
  if (options.offset != 0) command["offset"] = options.offset;
  if (options.limit) command["limit"] = *options.limit;
  if (options.partitions != 1) command["partitions"] = options.partitions;
  AddChoice(options.version, options.as_of, &command);
  if (!options.compression.empty()) command["compression"] = options.compression;
  return DescriptorOf(name, std::move(command));
}

FlightDescriptor VersionDescriptor(const std::string& name, const VersionChoice& choice) {
  json command = json::object();
  AddChoice(choice.version, choice.as_of, &command);
  return DescriptorOf(name, std::move(command));
}

FlightDescriptor PutDescriptor(const std::string& name, const PutOptions& options) {
  json command = json::object();
  AddUpload(options.create, options.if_version, options.upload_id, &command);
  if (!options.codec.empty()) command["codec"] = options.codec;
  if (options.level) command["level"] = *options.level;
  if (options.row_group_rows) command["row_group_rows"] = *options.row_group_rows;
  return DescriptorOf(name, std::move(command));
}

FlightDescriptor GetFileDescriptor(const std::string& name, const GetFileOptions& options) {
  json command = {{"format", "parquet"}};
  AddChoice(options.version, options.as_of, &command);
  if (options.partitions != 1) command["partitions"] = options.partitions;
  return DescriptorOf(name, std::move(command));
}

FlightDescriptor PutFileDescriptor(const std::string& name, const PutFileOptions& options) {
  json command = {{"format", "parquet"}};
  AddUpload(options.create, options.if_version, options.upload_id, &command);
  return DescriptorOf(name, std::move(command));
}

arrow::Status FormatFailure(const arrow::Status& status) {
  // A server that does not know the key says so by its name.
  if (KindOf(status) != ErrorKind::kInvalidArgument || !status.message().contains("'format'")) {
    return status;
  }
  return MakeError(ErrorKind::kUnimplemented, "the server cannot take and give files as they are");
}

std::string ListCriteria(const ListOptions& options, const std::string& after, int64_t limit) {
  json criteria = json::object();
  if (!options.prefix.empty()) criteria["prefix"] = options.prefix;
  if (!options.glob.empty()) criteria["glob"] = options.glob;
  if (!after.empty()) criteria["after"] = after;
  criteria["limit"] = limit;
  return DumpJson(criteria);
}

arrow::Result<PutSummary> ParsePutSummary(std::string_view app_metadata) {
  const json answer = ParseJsonObject(app_metadata);
  PutSummary summary{.dataset = StringAt(answer, "dataset"),
                     .version = StringAt(answer, "version"),
                     .rows = IntegerAt(answer, "rows", -1),
                     .bytes = IntegerAt(answer, "bytes", -1),
                     .repeated = BoolAt(answer, "repeated")};
  if (summary.dataset.empty() || summary.version.empty() || summary.rows < 0) {
    return Error(ErrorKind::kInternal,
                 "the server did not say what it stored, so it is not known whether it did; "
                 "look with \"hangar info\"");
  }
  return summary;
}

arrow::Result<DatasetInfo> ParseFlightInfo(const arrow::flight::FlightInfo& info) {
  const json metadata = ParseJsonObject(info.app_metadata());
  DatasetInfo dataset;
  dataset.name = StringAt(metadata, "dataset");
  if (dataset.name.empty()) dataset.name = JoinPath(info.descriptor().path);
  dataset.version = StringAt(metadata, "version");
  dataset.modified = TimeAt(metadata, "modified").value_or(Time{});
  dataset.retired = TimeAt(metadata, "retired");
  dataset.row_groups = IntegerAt(metadata, "row_groups", 0);
  dataset.rows = info.total_records();
  dataset.bytes = info.total_bytes();
  arrow::ipc::DictionaryMemo memo;
  ARROW_ASSIGN_OR_RAISE(dataset.schema, info.GetSchema(&memo));
  return dataset;
}

}  // namespace hangar::client
