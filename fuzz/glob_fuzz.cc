// Globs, against a matcher that tries out every way there is. The input is a glob and a text, with
// a NUL between them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.h"
#include "fuzz/require.h"

namespace hangar::fuzz {
namespace {

constexpr size_t kReferenceBytesMax = 64;

// Matches by going back and forth, as text.h says it: what was found out of two places is kept, so
// that it ends.
class ReferenceMatcher {
 public:
  ReferenceMatcher(std::string_view glob, std::string_view text) : glob_(glob), text_(text) {}

  bool Matches(size_t g, size_t t) {
    auto& known = known_[g][t];
    if (!known) known = Find(g, t);
    return *known;
  }

 private:
  bool Find(size_t g, size_t t) {
    if (g == glob_.size()) return t == text_.size();
    const bool has_byte = t < text_.size();
    if (glob_[g] == '*') {
      const size_t end = std::min(glob_.find_first_not_of('*', g), glob_.size());
      if (Matches(end, t)) return true;
      return has_byte && (end - g > 1 || text_[t] != '/') && Matches(g, t + 1);
    }
    if (!has_byte) return false;
    const char byte = text_[t];
    if (glob_[g] == '?') return byte != '/' && Matches(g + 1, t + 1);
    const size_t first =
        g + 1 + (glob_.substr(g + 1).starts_with('!') || glob_.substr(g + 1).starts_with('^'));
    const size_t close = glob_[g] == '[' ? glob_.find(']', first + 1) : std::string_view::npos;
    if (close != std::string_view::npos) {
      const bool holds = Holds(glob_.substr(first, close - first), byte);
      return byte != '/' && holds == (first == g + 1) && Matches(close + 1, t + 1);
    }
    if (glob_[g] == '\\' && g + 1 < glob_.size()) ++g;
    return glob_[g] == byte && Matches(g + 1, t + 1);
  }

  static bool Holds(std::string_view set, char byte) {
    if (set.empty()) return false;
    if (set.size() < 3 || set[1] != '-') return set[0] == byte || Holds(set.substr(1), byte);
    const auto code = [](char c) { return static_cast<unsigned char>(c); };
    return (code(set[0]) <= code(byte) && code(byte) <= code(set[2])) || Holds(set.substr(3), byte);
  }

  const std::string_view glob_;
  const std::string_view text_;
  std::array<std::array<std::optional<bool>, kReferenceBytesMax + 1>, kReferenceBytesMax + 1>
      known_;
};

void Try(std::string_view glob, std::string_view text) {
  const bool matches = GlobMatches(glob, text);
  if (glob.size() <= kReferenceBytesMax && text.size() <= kReferenceBytesMax) {
    Require(matches == ReferenceMatcher(glob, text).Matches(0, 0), "the glob matches");
  }
  std::string escaped;
  for (const char byte : text) escaped += {'\\', byte};
  Require(GlobMatches(escaped, text), "a text matches itself");
  Require(GlobMatches("**", text), "two stars match everything");
}

}  // namespace
}  // namespace hangar::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(bytes), size);
  const size_t cut = input.find('\0');
  if (cut == std::string_view::npos) return 0;
  hangar::fuzz::Try(input.substr(0, cut), input.substr(cut + 1));
  return 0;
}
