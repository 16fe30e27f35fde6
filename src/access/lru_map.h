#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace hangar {

/// A map of bounded size: what was not used for longest makes room. Not thread-safe.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class LruMap {
 public:
  explicit LruMap(size_t size_max) : size_max_(size_max) {}

  /// The value, which counts as used, or nullptr. Valid until the next call.
  Value* Find(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  /// The value of the key, made of `value` when there is none.
  Value& FindOrAdd(const Key& key, Value value) {
    if (Value* found = Find(key)) return *found;
    if (places_.size() >= size_max_) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    places_.emplace(key, entries_.begin());
    return entries_.front().second;
  }

  size_t size() const { return places_.size(); }

 private:
  using Entries = std::list<std::pair<Key, Value>>;

  const size_t size_max_;
  Entries entries_;  // The last used first.
  std::unordered_map<Key, typename Entries::iterator, Hash> places_;
};

}  // namespace hangar
