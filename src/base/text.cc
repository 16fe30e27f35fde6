#include "base/text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <format>
#include <vector>

namespace hangar {
namespace {

constexpr size_t kQuotedBytesMax = 120;

// The length of the UTF-8 sequence at the start of `bytes`, or 0 where there is none. The ranges
// are those of the Unicode standard, table 3-7.
size_t Utf8SequenceLength(std::string_view bytes) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const auto in = [&](size_t i, uint8_t low, uint8_t high) {
    return i < bytes.size() && byte(i) >= low && byte(i) <= high;
  };
  if (bytes.empty()) return 0;
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return in(1, low, high) && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

// Of a UTF-8 sequence. Beside C0 and DEL: C1 (U+0080 to U+009F), U+2028 and U+2029, which some take
// for the end of a line, and the marks, embeddings and isolates that turn the direction of writing
// (U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069).
bool IsControl(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7F;
  if (sequence.size() == 2) {
    return (byte(0) == 0xC2 && byte(1) < 0xA0) || sequence == "\u061C";
  }
  if (sequence.size() != 3 || byte(0) != 0xE2) return false;
  if (byte(1) == 0x80) {
    return byte(2) == 0x8E || byte(2) == 0x8F || (byte(2) >= 0xA8 && byte(2) <= 0xAE);
  }
  return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
}

// Appends the first character of `text`, escaped where it has to be, and says how long it is.
size_t AppendEscapedCharacter(std::string_view text, std::string* out) {
  const size_t length = Utf8SequenceLength(text);
  const std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
  if (length > 0 && !IsControl(sequence)) {
    *out += sequence;
  } else {
    for (const char c : sequence) {
      *out += std::format("\\x{:02x}", static_cast<unsigned>(static_cast<uint8_t>(c)));
    }
  }
  return sequence.size();
}

// One element of a glob: what a byte must be, or a run of bytes.
struct GlobElement {
  enum class Kind { kByte, kAnyByte, kSet, kRun, kRunAcrossSegments };
  Kind kind = Kind::kByte;
  char byte = 0;
  std::string_view set;  // Between the brackets, without '!'.
  bool negated = false;
};

// The set that opens at `glob[start]`, or an element of kind kByte ('[' itself) where none closes.
GlobElement ParseSet(std::string_view glob, size_t start, size_t* end) {
  size_t first = start + 1;
  const bool negated = first < glob.size() && (glob[first] == '!' || glob[first] == '^');
  if (negated) ++first;
  const size_t close = glob.find(']', first + 1);
  if (first >= glob.size() || close == std::string_view::npos) {
    *end = start + 1;
    return {.byte = '['};
  }
  *end = close + 1;
  return {.kind = GlobElement::Kind::kSet,
          .set = glob.substr(first, close - first),
          .negated = negated};
}

std::vector<GlobElement> ParseGlob(std::string_view glob) {
  std::vector<GlobElement> elements;
  for (size_t i = 0; i < glob.size();) {
    if (glob[i] == '*') {
      const size_t stars = std::min(glob.find_first_not_of('*', i), glob.size()) - i;
      elements.push_back(
          {.kind = stars > 1 ? GlobElement::Kind::kRunAcrossSegments : GlobElement::Kind::kRun});
      i += stars;
    } else if (glob[i] == '?') {
      elements.push_back({.kind = GlobElement::Kind::kAnyByte});
      ++i;
    } else if (glob[i] == '[') {
      elements.push_back(ParseSet(glob, i, &i));
    } else {
      if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
      elements.push_back({.byte = glob[i]});
      ++i;
    }
  }
  return elements;
}

bool SetHolds(std::string_view set, char byte) {
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      const auto code = [](char c) { return static_cast<unsigned char>(c); };
      if (code(set[i]) <= code(byte) && code(byte) <= code(set[i + 2])) return true;
      i += 2;
    } else if (set[i] == byte) {
      return true;
    }
  }
  return false;
}

bool ElementMatches(const GlobElement& element, char byte) {
  switch (element.kind) {
    case GlobElement::Kind::kByte:
      return byte == element.byte;
    case GlobElement::Kind::kSet:
      return byte != '/' && SetHolds(element.set, byte) != element.negated;
    case GlobElement::Kind::kAnyByte:
    case GlobElement::Kind::kRun:
      return byte != '/';
    case GlobElement::Kind::kRunAcrossSegments:
      return true;
  }
  return false;
}

}  // namespace

bool IsValidUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8SequenceLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  size_t taken = 0;
  while (taken < text.size() && taken < kQuotedBytesMax) {
    taken += AppendEscapedCharacter(text.substr(taken), &quoted);
  }
  if (taken < text.size()) quoted += "...";
  return quoted + "'";
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    if (text[0] == '"' || text[0] == '\\') escaped += '\\';
    text.remove_prefix(AppendEscapedCharacter(text, &escaped));
  }
  return escaped;
}

bool GlobMatches(std::string_view glob, std::string_view text) {
  // Simulates the glob as a non-deterministic automaton: reachable[i] says that the elements before
  // i have matched the bytes read so far. That bounds the time whatever the glob is.
  const std::vector<GlobElement> elements = ParseGlob(glob);
  const auto is_run = [&](size_t i) {
    return elements[i].kind == GlobElement::Kind::kRun ||
           elements[i].kind == GlobElement::Kind::kRunAcrossSegments;
  };
  std::vector<char> reachable(elements.size() + 1, 0);
  const auto skip_runs = [&](std::vector<char>& states) {
    for (size_t i = 0; i < elements.size(); ++i) {
      if (states[i] && is_run(i)) states[i + 1] = 1;
    }
  };
  reachable[0] = 1;
  skip_runs(reachable);
  for (const char byte : text) {
    std::vector<char> next(elements.size() + 1, 0);
    for (size_t i = 0; i < elements.size(); ++i) {
      if (!reachable[i] || !ElementMatches(elements[i], byte)) continue;
      next[is_run(i) ? i : i + 1] = 1;
    }
    skip_runs(next);
    reachable.swap(next);
  }
  return reachable[elements.size()] != 0;
}

}  // namespace hangar
