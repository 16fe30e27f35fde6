#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hangar {

/// Consecutive bytes of a file.
struct ByteRange {
  int64_t offset = 0;
  int64_t length = 0;

  bool operator==(const ByteRange&) const = default;
};

/// What a request's Range header asks for.
struct RequestedRanges {
  enum class Kind {
    kWhole,          ///< Nothing that has to be heeded: the whole file.
    kParts,          ///< `parts`, of which there is at least one.
    kUnsatisfiable,  ///< Nothing of the file, or of too many parts of it: 416.
  };
  Kind kind = Kind::kWhole;
  std::vector<ByteRange> parts = {};
};

/// Ranges that a request may name. More are not for reading a file but for tiring a server.
inline constexpr int kRangesMax = 256;

/// Reads a Range header for a file of `size_bytes` (RFC 9110, section 14). Ranges of other units,
/// and what is no range set, are not heeded, as the RFC lets servers do. Parts that overlap, or are
/// so close that to part them takes more bytes than what lies between them, become one; the others
/// stay in the order in which they were asked for.
RequestedRanges ParseRange(std::string_view header, int64_t size_bytes);

/// "bytes 0-99/1000"
std::string ContentRange(const ByteRange& range, int64_t size_bytes);

}  // namespace hangar
