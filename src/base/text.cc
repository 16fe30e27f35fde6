#include "base/text.h"

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
    const std::string_view rest = text.substr(taken);
    const auto byte = static_cast<unsigned>(static_cast<uint8_t>(rest[0]));
    const size_t length = Utf8SequenceLength(rest);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      quoted += std::format("\\x{:02x}", byte);
      ++taken;
    } else {
      quoted += rest.substr(0, length);
      taken += length;
    }
  }
  if (taken < text.size()) quoted += "...";
  return quoted + "'";
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
