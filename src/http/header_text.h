#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hangar {

/// True for texts that differ in the case of ASCII letters only.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

/// Without the spaces and tabs around it.
std::string_view TrimmedOws(std::string_view text);

/// The items of a comma-separated header without empty ones (RFC 9110, section 5.6.1). A comma
/// within double quotes separates nothing. The items are parts of `text`.
std::vector<std::string_view> SplitList(std::string_view text);

}  // namespace hangar
