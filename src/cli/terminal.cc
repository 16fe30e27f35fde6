#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <format>
#include <iostream>

#include "base/error.h"
#include "cli/interrupt.h"

namespace hangar::cli {
namespace {

struct CodePoint {
  char32_t value = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The code point at the start of `text`, which is not empty. Invalid bytes come one by one.
CodePoint Decode(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (bytes == 0 || lead > 0xF4 || text.size() < bytes) return {};
  auto value = static_cast<char32_t>(lead & (0xFFU >> (bytes + 1)));
  for (size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if ((byte & 0xC0U) != 0x80) return {};
    value = (value << 6U) | (byte & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kLowest[bytes] || value > 0x10FFFF || surrogate) return {};
  return {value, bytes, true};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <size_t N>
bool In(const std::array<Range, N>& ranges, char32_t value) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return range.first <= value && value <= range.last; });
}

// The blocks of Unicode's EastAsianWidth.txt that are wide or full width, and emoji.
constexpr std::array kWide = {
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},
    Range{0x3400, 0x4DBF},   Range{0x4E00, 0x9FFF},   Range{0xA000, 0xA4CF},
    Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE4F},
    Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x1F300, 0x1F64F},
    Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};

// Blocks of combining marks, joiners and variation selectors.
constexpr std::array kZeroWidth = {
    Range{0x0300, 0x036F}, Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF}, Range{0x200B, 0x200D},
    Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFE20, 0xFE2F}, Range{0xE0100, 0xE01EF}};

// Marks and embeddings that change the direction of what follows them.
constexpr std::array kDirection = {Range{0x200E, 0x200F}, Range{0x2028, 0x202E},
                                   Range{0x2066, 0x2069}, Range{0xFEFF, 0xFEFF}};

int WidthOf(char32_t value) {
  if (In(kZeroWidth, value)) return 0;
  return In(kWide, value) ? 2 : 1;
}

void AppendPrintable(CodePoint point, std::string_view bytes, std::string* out) {
  if (!point.valid) {
    *out += std::format("\\x{:02x}", static_cast<uint8_t>(bytes[0]));
  } else if (point.value == '\n') {
    *out += "\\n";
  } else if (point.value == '\t') {
    *out += "\\t";
  } else if (point.value == '\r') {
    *out += "\\r";
  } else if (point.value < 0x20 || (point.value >= 0x7F && point.value < 0xA0)) {
    *out += std::format("\\x{:02x}", static_cast<uint32_t>(point.value));
  } else if (In(kDirection, point.value)) {
    *out += std::format("\\u{:04x}", static_cast<uint32_t>(point.value));
  } else {
    *out += bytes;
  }
}

}  // namespace

bool IsTerminal(int file_descriptor) { return isatty(file_descriptor) == 1; }

int TerminalWidth(int file_descriptor) {
  winsize size{};
  if (ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

arrow::Result<std::string> AskSecret(std::string_view prompt) {
  if (!IsTerminal(STDIN_FILENO) || !IsTerminal(STDERR_FILENO)) {
    return MakeError(ErrorKind::kInvalidArgument,
                     "there is no terminal to ask for a password: HANGAR_PASSWORD can hold it");
  }
  termios before{};
  tcgetattr(STDIN_FILENO, &before);
  termios silent = before;
  silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  // An interrupt meanwhile must not leave a terminal that shows nothing.
  const InterruptGuard guard([before] { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before); });
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  std::fwrite(prompt.data(), 1, prompt.size(), stderr);
  std::string line;
  std::getline(std::cin, line);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
  std::fputc('\n', stderr);
  if (line.empty()) return MakeError(ErrorKind::kInvalidArgument, "no password was typed");
  return line;
}

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    AppendPrintable(point, text.substr(0, point.bytes), &out);
    text.remove_prefix(point.bytes);
  }
  return out;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    width += point.valid ? WidthOf(point.value) : 1;
    text.remove_prefix(point.bytes);
  }
  return width;
}

std::string CutToWidth(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  std::string out;
  int used = 1;  // The "…".
  while (!text.empty()) {
    const CodePoint point = Decode(text);
    used += point.valid ? WidthOf(point.value) : 1;
    if (used > width) break;
    out += text.substr(0, point.bytes);
    text.remove_prefix(point.bytes);
  }
  return out + "…";
}

std::string OneLine(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (!space) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace hangar::cli
