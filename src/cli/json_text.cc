#include "cli/json_text.h"

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "cli/commands.h"

namespace hangar::cli {

using nlohmann::ordered_json;

ordered_json DatasetJson(const client::DatasetInfo& dataset) {
  ordered_json object = {{"name", dataset.name},
                         {"version", dataset.version},
                         {"modified", FormatTimestamp(dataset.modified)},
                         {"rows", dataset.rows},
                         {"bytes", dataset.bytes},
                         {"row_groups", dataset.row_groups}};
  if (dataset.retired) object["retired"] = FormatTimestamp(*dataset.retired);
  return object;
}

ordered_json MetadataJson(const arrow::KeyValueMetadata* metadata) {
  ordered_json object = ordered_json::object();
  for (int64_t i = 0; metadata != nullptr && i < metadata->size(); ++i) {
    object[metadata->key(i)] = metadata->value(i);
  }
  return object;
}

ordered_json FieldJson(const arrow::Field& field) {
  ordered_json object = {
      {"name", field.name()}, {"type", field.type()->ToString()}, {"nullable", field.nullable()}};
  if (field.HasMetadata()) object["metadata"] = MetadataJson(field.metadata().get());
  for (const auto& child : field.type()->fields()) {
    object["children"].push_back(FieldJson(*child));
  }
  return object;
}

void PrintJson(const ordered_json& value) {
  Print(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace hangar::cli
