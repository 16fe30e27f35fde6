#include "client/json_fields.h"

#include <arrow/util/value_parsing.h>

namespace hangar::client {

using nlohmann::json;

std::string DumpJson(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

json ParseJsonObject(std::string_view text) {
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

bool BoolAt(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

std::optional<Time> TimeAt(const json& object, const char* key) {
  const std::string rfc3339 = StringAt(object, key);
  const auto parser = arrow::TimestampParser::MakeISO8601();
  int64_t nanoseconds = 0;
  if (!(*parser)(rfc3339.data(), rfc3339.size(), arrow::TimeUnit::NANO, &nanoseconds)) {
    return std::nullopt;
  }
  return Time(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace hangar::client
