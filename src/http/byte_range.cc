#include "http/byte_range.h"

#include <algorithm>
#include <charconv>
#include <format>
#include <limits>

#include "http/header_text.h"

namespace hangar {
namespace {

// About what the boundary and the headers of one more part take.
constexpr int64_t kGapBytesMax = 128;

// Digits only; a number that does not fit is larger than any file.
std::optional<int64_t> ParsePosition(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : std::numeric_limits<int64_t>::max();
}

struct ParsedRange {
  bool is_valid = false;
  std::optional<ByteRange> range = {};  // Absent: valid, but beyond the file.
};

ParsedRange ParseOne(std::string_view text, int64_t size_bytes) {
  const size_t dash = text.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view first_text = text.substr(0, dash);
  const std::string_view last_text = text.substr(dash + 1);
  const auto last = ParsePosition(last_text);
  if (first_text.empty()) {
    if (!last) return {};
    const int64_t length = std::min(*last, size_bytes);
    if (length == 0) return {.is_valid = true};
    return {.is_valid = true, .range = ByteRange{size_bytes - length, length}};
  }
  const auto first = ParsePosition(first_text);
  if (!first || (!last && !last_text.empty()) || (last && *last < *first)) return {};
  if (*first >= size_bytes) return {.is_valid = true};
  const int64_t end = last && *last < size_bytes ? *last + 1 : size_bytes;
  return {.is_valid = true, .range = ByteRange{*first, end - *first}};
}

bool BelongTogether(const ByteRange& a, const ByteRange& b) {
  return a.offset <= b.offset + b.length + kGapBytesMax &&
         b.offset <= a.offset + a.length + kGapBytesMax;
}

ByteRange Union(const ByteRange& a, const ByteRange& b) {
  const int64_t begin = std::min(a.offset, b.offset);
  return {begin, std::max(a.offset + a.length, b.offset + b.length) - begin};
}

// A union may touch further parts, so each is taken up again until it stands alone.
std::vector<ByteRange> Coalesce(const std::vector<ByteRange>& ranges) {
  std::vector<ByteRange> parts;
  for (ByteRange range : ranges) {
    size_t place = parts.size();
    for (size_t i = 0; i < parts.size();) {
      if (!BelongTogether(parts[i], range)) {
        ++i;
        continue;
      }
      range = Union(parts[i], range);
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
      place = std::min(place, i);
      i = 0;
    }
    place = std::min(place, parts.size());
    parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(place), range);
  }
  return parts;
}

}  // namespace

RequestedRanges ParseRange(std::string_view header, int64_t size_bytes) {
  const size_t equals = header.find('=');
  if (equals == std::string_view::npos) return {};
  if (!EqualsIgnoringCase(TrimmedOws(header.substr(0, equals)), "bytes")) return {};
  std::vector<ByteRange> ranges;
  int named = 0;
  for (const std::string_view item : SplitList(header.substr(equals + 1))) {
    const ParsedRange parsed = ParseOne(item, size_bytes);
    if (!parsed.is_valid) return {};
    if (++named > kRangesMax) return {.kind = RequestedRanges::Kind::kUnsatisfiable};
    if (parsed.range) ranges.push_back(*parsed.range);
  }
  if (named == 0) return {};
  if (ranges.empty()) return {.kind = RequestedRanges::Kind::kUnsatisfiable};
  return {.kind = RequestedRanges::Kind::kParts, .parts = Coalesce(ranges)};
}

std::string ContentRange(const ByteRange& range, int64_t size_bytes) {
  return std::format("bytes {}-{}/{}", range.offset, range.offset + range.length - 1, size_bytes);
}

}  // namespace hangar
