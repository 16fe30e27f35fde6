#pragma once

#include <arrow/type_fwd.h>
#include <nlohmann/json_fwd.hpp>

#include "client/client.h"

namespace hangar::cli {

/// A dataset as `ls` and `info` print it with --output json: name, version, modified, rows, bytes,
/// row_groups, and retired where it is not the current version.
nlohmann::ordered_json DatasetJson(const client::DatasetInfo& dataset);

/// Name, type, nullable, and metadata and children where there are any.
nlohmann::ordered_json FieldJson(const arrow::Field& field);

/// Key-value metadata as an object; empty when there is none.
nlohmann::ordered_json MetadataJson(const arrow::KeyValueMetadata* metadata);

/// Prints a value as one line; bytes that are not UTF-8 become U+FFFD.
void PrintJson(const nlohmann::ordered_json& value);

}  // namespace hangar::cli
