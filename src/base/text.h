#pragma once

#include <string>
#include <string_view>

namespace hangar {

/// True when `bytes` is well-formed UTF-8 (no overlong forms, surrogates or values past U+10FFFF).
bool IsValidUtf8(std::string_view bytes);

/// `text` in single quotes, fit for an error message: control characters and bytes that are not
/// UTF-8 are escaped as \xHH, and what is longer than 120 bytes is cut, with "..." in its place.
/// Control characters are those of C0 and C1, DEL, the separators of lines and paragraphs, and what
/// turns the direction of writing: none of them can make a line or command a terminal.
std::string Quoted(std::string_view text);

/// `text`, however long, without quotes around it, escaped in the same way; `"` and `\` get a `\`
/// before them.
std::string Escaped(std::string_view text);

/// True when `glob` matches all of `text`: `?` is one byte but '/', `*` any number of them, `**`
/// any number of bytes with '/', `[a-z]` and `[!a-z]` a set. A `\` takes the next byte literally.
/// Takes time O(|glob| * |text|) at most.
bool GlobMatches(std::string_view glob, std::string_view text);

}  // namespace hangar
