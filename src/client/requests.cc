#include "client/requests.h"

#include <utility>
#include <vector>

#include <arrow/ipc/dictionary.h>
#include <arrow/util/value_parsing.h>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace hangar::client {
namespace {

using arrow::flight::FlightDescriptor;
using nlohmann::json;

// Names come from outside: bytes that are not UTF-8 become U+FFFD rather than an exception, and
// the server refuses the name.
std::string Dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ParseObject(std::string_view text) {
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : json::object();
}

std::string StringAt(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int64_t IntegerAt(const json& object, const char* key, int64_t otherwise) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_integer() ? it->get<int64_t>() : otherwise;
}

std::string JoinPath(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) {
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

decltype(DatasetInfo::modified) ParseTime(const std::string& rfc3339) {
  const auto parser = arrow::TimestampParser::MakeISO8601();
  int64_t nanoseconds = 0;
  if (!(*parser)(rfc3339.data(), rfc3339.size(), arrow::TimeUnit::NANO, &nanoseconds)) return {};
  return decltype(DatasetInfo::modified)(std::chrono::nanoseconds(nanoseconds));
}

// Without any option the plain name is sent, which every Flight server understands.
FlightDescriptor DescriptorOf(const std::string& name, json command) {
  if (command.empty()) return FlightDescriptor::Path({name});
  command["dataset"] = name;
  return FlightDescriptor::Command(Dump(command));
}

}  // namespace

FlightDescriptor GetDescriptor(const std::string& name, const GetOptions& options) {
  json command = json::object();
  if (options.columns) command["columns"] = *options.columns;
  if (options.offset != 0) command["offset"] = options.offset;
  if (options.limit) command["limit"] = *options.limit;
  if (options.partitions != 1) command["partitions"] = options.partitions;
  if (!options.version.empty()) command["version"] = options.version;
  if (!options.compression.empty()) command["compression"] = options.compression;
  return DescriptorOf(name, std::move(command));
}

FlightDescriptor PutDescriptor(const std::string& name, const PutOptions& options) {
  json command = json::object();
  if (options.create) command["mode"] = "create";
  if (!options.if_version.empty()) command["if_version"] = options.if_version;
  if (!options.codec.empty()) command["codec"] = options.codec;
  if (options.level) command["level"] = *options.level;
  if (options.row_group_rows) command["row_group_rows"] = *options.row_group_rows;
  return DescriptorOf(name, std::move(command));
}

std::string ListCriteria(const ListOptions& options, const std::string& after, int64_t limit) {
  json criteria = json::object();
  if (!options.prefix.empty()) criteria["prefix"] = options.prefix;
  if (!options.glob.empty()) criteria["glob"] = options.glob;
  if (!after.empty()) criteria["after"] = after;
  criteria["limit"] = limit;
  return Dump(criteria);
}

std::string RenameBody(const std::string& from, const std::string& to,
                       const RenameOptions& options) {
  json body = {{"from", from}, {"to", to}};
  if (options.overwrite) body["overwrite"] = true;
  if (!options.if_version.empty()) body["if_version"] = options.if_version;
  return Dump(body);
}

arrow::Result<PutSummary> ParsePutSummary(std::string_view app_metadata) {
  const json answer = ParseObject(app_metadata);
  PutSummary summary{.dataset = StringAt(answer, "dataset"),
                     .version = StringAt(answer, "version"),
                     .rows = IntegerAt(answer, "rows", -1),
                     .bytes = IntegerAt(answer, "bytes", -1)};
  if (summary.dataset.empty() || summary.version.empty() || summary.rows < 0) {
    return Error(ErrorKind::kInternal,
                 "the server did not say what it stored, so it is not known whether it did; "
                 "look with \"hangar info\"");
  }
  return summary;
}

arrow::Result<DatasetInfo> ParseFlightInfo(const arrow::flight::FlightInfo& info) {
  const json metadata = ParseObject(info.app_metadata());
  DatasetInfo dataset;
  dataset.name = StringAt(metadata, "dataset");
  if (dataset.name.empty()) dataset.name = JoinPath(info.descriptor().path);
  dataset.version = StringAt(metadata, "version");
  dataset.modified = ParseTime(StringAt(metadata, "modified"));
  dataset.row_groups = IntegerAt(metadata, "row_groups", 0);
  dataset.rows = info.total_records();
  dataset.bytes = info.total_bytes();
  arrow::ipc::DictionaryMemo memo;
  ARROW_ASSIGN_OR_RAISE(dataset.schema, info.GetSchema(&memo));
  return dataset;
}

}  // namespace hangar::client
