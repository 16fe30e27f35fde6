#include "peers/rendezvous.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangar {

std::vector<std::string> RendezvousOrder(const std::vector<std::string>& nodes,
                                         std::string_view key, size_t count_max) {
  const XXH64_hash_t seed = XXH3_64bits(key.data(), key.size());
  std::vector<std::pair<uint64_t, const std::string*>> weighed;
  weighed.reserve(nodes.size());
  for (const std::string& node : nodes) {
    weighed.emplace_back(XXH3_64bits_withSeed(node.data(), node.size(), seed), &node);
  }
  const size_t count = std::min(count_max, weighed.size());
  // Equal weights are as good as impossible; the names then decide, the same way everywhere.
  std::ranges::partial_sort(weighed, weighed.begin() + static_cast<ptrdiff_t>(count),
                            [](const auto& a, const auto& b) {
                              return a.first != b.first ? a.first > b.first : *a.second < *b.second;
                            });
  std::vector<std::string> order;
  order.reserve(count);
  for (size_t i = 0; i < count; ++i) order.push_back(*weighed[i].second);
  return order;
}

}  // namespace hangar
