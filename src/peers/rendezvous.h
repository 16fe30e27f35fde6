#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hangar {

/// Up to `count_max` of `nodes`, those with the highest weights for `key`, in the order of their
/// weights: highest random weight hashing (Thaler & Ravishankar, "Using name-based mappings to
/// increase hit rates", IEEE/ACM Transactions on Networking 6(1), 1998). All who have the same
/// nodes, in whatever order, get the same answer; a node that goes leaves the order of the others
/// as it was, so only what it came first for gets another first one. The weight is XXH3's 64 bits
/// of the node with those of the key for a seed.
std::vector<std::string> RendezvousOrder(const std::vector<std::string>& nodes,
                                         std::string_view key, size_t count_max);

}  // namespace hangar
