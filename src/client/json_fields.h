#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "client/client.h"

// What the client takes from the server's JSON and gives to it. A value that is missing or of
// another type is as good as none: what must be there, the caller checks.
namespace hangar::client {

/// As text. Names come from outside: bytes that are not UTF-8 become U+FFFD rather than an
/// exception, and the server refuses the name.
std::string DumpJson(const nlohmann::json& value);

/// An empty object for what is not a JSON object.
nlohmann::json ParseJsonObject(std::string_view text);

std::string StringAt(const nlohmann::json& object, const char* key);
int64_t IntegerAt(const nlohmann::json& object, const char* key, int64_t otherwise);
bool BoolAt(const nlohmann::json& object, const char* key);
/// An RFC 3339 time.
std::optional<Time> TimeAt(const nlohmann::json& object, const char* key);

}  // namespace hangar::client
