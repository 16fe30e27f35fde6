#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hangar {

/// Where what several servers can give is to be had. Thread-safe.
class PeerLocations {
 public:
  virtual ~PeerLocations() = default;

  /// The addresses, as URIs, of servers that can give what `key` stands for: first the one that is
  /// to give it, so that every server caches its share, then those to turn to when it does not
  /// answer. Never empty. Does not block.
  virtual std::vector<std::string> LocationsOf(std::string_view key) const = 0;
};

}  // namespace hangar
