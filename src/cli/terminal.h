#pragma once

#include <string>
#include <string_view>

#include <arrow/result.h>

namespace hangar::cli {

bool IsTerminal(int file_descriptor);

/// Columns of the terminal; 80 when it does not say.
int TerminalWidth(int file_descriptor);

/// A line that the person at the terminal types, which the terminal does not show. INVALID_ARGUMENT
/// when standard input or standard error is no terminal, or nothing was typed.
arrow::Result<std::string> AskSecret(std::string_view prompt);

/// `text` fit to be shown: control characters, marks that change the direction of writing and bytes
/// that are not UTF-8 are escaped (\n, \t, \x1b, \u202e), so that no value can steer a terminal or
/// break a table.
std::string Printable(std::string_view text);

/// How many columns printable UTF-8 takes: 2 for East Asian wide characters and emoji, 0 for
/// combining marks.
int DisplayWidth(std::string_view text);

/// `text` cut to at most `width` columns, with "…" as the last where something was cut.
std::string CutToWidth(std::string_view text, int width);

/// Runs of white space and line breaks as one space, without any at the ends.
std::string OneLine(std::string_view text);

}  // namespace hangar::cli
