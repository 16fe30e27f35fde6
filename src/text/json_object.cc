#include "text/json_object.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/text.h"

namespace hangar {
namespace {

using nlohmann::json;

constexpr size_t kTextBytesMax = 1 << 20;

}  // namespace

JsonObject::JsonObject(json object, std::string what)
    : object_(std::make_unique<json>(std::move(object))), what_(std::move(what)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

arrow::Result<JsonObject> JsonObject::Parse(std::string_view text, std::string_view what) {
  if (text.size() > kTextBytesMax) {
    return Error(ErrorKind::kInvalidArgument, "{} is longer than 1 MiB", what);
  }
  // The parser takes a NUL for the end of the text and would not see what follows it.
  if (text.contains('\0')) {
    return Error(ErrorKind::kInvalidArgument, "{} is not valid JSON: it holds a NUL", what);
  }
  // Parsers keep the last of two equal keys, so that two readers could understand one text
  // differently; here such a text is refused.
  std::set<std::string> keys;
  std::optional<std::string> repeated;
  const auto note_keys = [&](int depth, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::key && depth == 1 &&
        !keys.insert(parsed.get<std::string>()).second) {
      repeated = parsed.get<std::string>();
    }
    return true;
  };
  json object = json::parse(text, note_keys, /*allow_exceptions=*/false);
  if (object.is_discarded()) {
    return Error(ErrorKind::kInvalidArgument, "{} is not valid JSON: {}", what, Quoted(text));
  }
  if (!object.is_object()) {
    return Error(ErrorKind::kInvalidArgument, "{} must be a JSON object, not {}", what,
                 object.type_name());
  }
  if (repeated) {
    return Error(ErrorKind::kInvalidArgument, "{} has the key {} twice", what, Quoted(*repeated));
  }
  return JsonObject(std::move(object), std::string(what));
}

std::optional<json> JsonObject::Take(std::string_view key) {
  known_keys_.emplace_back(key);
  const auto found = object_->find(key);
  if (found == object_->end()) return std::nullopt;
  json value = std::move(*found);
  object_->erase(found);
  return value;
}

arrow::Status JsonObject::WrongType(std::string_view key, std::string_view wanted) const {
  return Error(ErrorKind::kInvalidArgument, "the key '{}' of {} must be {}", key, what_, wanted);
}

arrow::Result<std::optional<std::string>> JsonObject::TakeString(std::string_view key) {
  const auto value = Take(key);
  if (!value) return std::nullopt;
  if (!value->is_string()) return WrongType(key, "a string");
  return value->get<std::string>();
}

arrow::Result<std::optional<int64_t>> JsonObject::TakeInteger(std::string_view key) {
  const auto value = Take(key);
  if (!value) return std::nullopt;
  const bool fits =
      value->is_number_integer() && !(value->is_number_unsigned() &&
                                      value->get<uint64_t>() > std::numeric_limits<int64_t>::max());
  if (!fits) return WrongType(key, "an integer of at most 64 bits");
  return value->get<int64_t>();
}

arrow::Result<std::optional<bool>> JsonObject::TakeBool(std::string_view key) {
  const auto value = Take(key);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) return WrongType(key, "true or false");
  return value->get<bool>();
}

arrow::Result<std::optional<std::vector<std::string>>> JsonObject::TakeStrings(
    std::string_view key) {
  const auto value = Take(key);
  if (!value) return std::nullopt;
  const bool fits = value->is_array() &&
                    std::ranges::all_of(*value, [](const json& item) { return item.is_string(); });
  if (!fits) return WrongType(key, "an array of strings");
  return value->get<std::vector<std::string>>();
}

arrow::Result<std::optional<std::map<std::string, std::string>>> JsonObject::TakeStringMap(
    std::string_view key) {
  const auto value = Take(key);
  if (!value) return std::nullopt;
  const bool fits = value->is_object() &&
                    std::ranges::all_of(*value, [](const json& item) { return item.is_string(); });
  if (!fits) return WrongType(key, "an object whose values are strings");
  return value->get<std::map<std::string, std::string>>();
}

arrow::Result<std::optional<Timestamp>> JsonObject::TakeTimestamp(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(const auto text, TakeString(key));
  if (!text) return std::nullopt;
  const auto time = ParseTimestamp(*text);
  if (time) return time;
  return Error(ErrorKind::kInvalidArgument,
               "the key '{}' is {}; it must be an RFC 3339 time such as 2026-01-31T12:00:00Z", key,
               Quoted(*text));
}

arrow::Result<std::string> JsonObject::TakeRequiredString(std::string_view key) {
  ARROW_ASSIGN_OR_RAISE(auto value, TakeString(key));
  if (!value) return Error(ErrorKind::kInvalidArgument, "{} lacks the key '{}'", what_, key);
  return *std::move(value);
}

arrow::Status JsonObject::Finish() const {
  if (object_->empty()) return arrow::Status::OK();
  std::string known;
  for (const std::string& key : known_keys_) known += (known.empty() ? "" : ", ") + key;
  return Error(ErrorKind::kInvalidArgument, "{} has the unknown key {}; the keys are {}", what_,
               Quoted(object_->begin().key()), known);
}

}  // namespace hangar
