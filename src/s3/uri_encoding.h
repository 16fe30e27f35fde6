#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hangar {

/// Names and values of a URI's query, not encoded.
using UriQuery = std::vector<std::pair<std::string, std::string>>;

/// All but RFC 3986's unreserved characters as %XX, as AWS' signatures want it.
std::string PercentEncoded(std::string_view text);

/// As PercentEncoded, but '/' stands for itself: the path of an object's key.
std::string EncodedPath(std::string_view path);

/// True when a segment of the path is "." or "..": what speaks HTTP takes those away
/// before it asks, and would ask for another path.
bool HasDotSegment(std::string_view path);

/// "a=1&b=", sorted by the encoded names; empty for none.
std::string EncodedQuery(const UriQuery& query);

enum class PlusSign { kIsPlus, kIsSpace };

/// The bytes that `text` stands for; nullopt where a '%' has no two hexadecimal digits behind it.
std::optional<std::string> PercentDecoded(std::string_view text, PlusSign plus);

}  // namespace hangar
