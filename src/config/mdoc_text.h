#pragma once

#include <string>
#include <string_view>

namespace hangar {

// Text in pages of the manual, which are written in mdoc(7).

/// Running text, a line for each sentence: no character in it is a request or an escape.
std::string MdocText(std::string_view text);

/// One argument of a macro: nothing in it is taken for another macro or for punctuation.
std::string MdocWord(std::string_view word);

/// Lines that stand as they are, each ending in a line break.
std::string MdocLiteral(std::string_view lines);

}  // namespace hangar
