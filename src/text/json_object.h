#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <nlohmann/json_fwd.hpp>

#include "base/clock.h"

namespace hangar {

/// Reads a JSON object from outside strictly: each key is taken once with its type, and `Finish`
/// refuses the keys that nobody took. All errors are INVALID_ARGUMENT and name the key.
///
///   ARROW_ASSIGN_OR_RAISE(auto object, JsonObject::Parse(text, "the command"));
///   ARROW_ASSIGN_OR_RAISE(auto limit, object.TakeInteger("limit"));
///   ARROW_RETURN_NOT_OK(object.Finish());
class JsonObject {
 public:
  /// `what` names the text in errors. Refuses what is not UTF-8 JSON, not an object, has a key
  /// twice, or is longer than 1 MiB.
  static arrow::Result<JsonObject> Parse(std::string_view text, std::string_view what);

  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  /// The key's value, nullopt when the key is absent. A null is a wrong type.
  arrow::Result<std::optional<std::string>> TakeString(std::string_view key);
  arrow::Result<std::optional<int64_t>> TakeInteger(std::string_view key);
  arrow::Result<std::optional<bool>> TakeBool(std::string_view key);
  arrow::Result<std::optional<std::vector<std::string>>> TakeStrings(std::string_view key);
  /// Of an object whose values are strings.
  arrow::Result<std::optional<std::map<std::string, std::string>>> TakeStringMap(
      std::string_view key);

  /// Of an RFC 3339 time, see ParseTimestamp.
  arrow::Result<std::optional<Timestamp>> TakeTimestamp(std::string_view key);

  /// TakeString for a key that must be there.
  arrow::Result<std::string> TakeRequiredString(std::string_view key);

  /// Refuses what was not taken.
  arrow::Status Finish() const;

 private:
  JsonObject(nlohmann::json object, std::string what);
  std::optional<nlohmann::json> Take(std::string_view key);
  arrow::Status WrongType(std::string_view key, std::string_view wanted) const;

  std::unique_ptr<nlohmann::json> object_;
  std::string what_;
  std::vector<std::string> known_keys_;
};

}  // namespace hangar
