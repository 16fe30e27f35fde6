#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace hangar {

/// Which of the media types on offer an Accept header wants most (RFC 9110, section 12.5.1): the
/// index of the one with the highest quality, the first of several. Parameters other than q are not
/// looked at. nullopt when it wants none of them. What cannot be read does not count.
std::optional<size_t> ChooseMediaType(std::string_view accept,
                                      std::span<const std::string_view> offered);

/// "text/csv; charset=utf-8" -> "text/csv".
std::string_view MediaTypeOf(std::string_view content_type);

}  // namespace hangar
