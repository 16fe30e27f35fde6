#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"

namespace hangar {

/// Shares immutable values by key, charged by bytes: when the charges exceed the capacity the least
/// recently used values leave. Values that callers still hold live on outside the cache. Split into
/// shards by key so that threads rarely meet; each shard holds its part of the capacity. A value
/// that is larger than a shard's part is not kept. Thread-safe.
template <typename Value>
class ByteCache {
 public:
  explicit ByteCache(int64_t capacity_bytes)
      : shard_capacity_bytes_(capacity_bytes / static_cast<int64_t>(kShards)) {}

  /// The value, or nullptr when it is not here.
  std::shared_ptr<const Value> Find(const std::string& key) { return ShardOf(key).Find(key); }

  /// Keeps the value, replacing an earlier one of that key.
  void Insert(const std::string& key, std::shared_ptr<const Value> value, int64_t charge_bytes) {
    ShardOf(key).Insert(key, std::move(value), charge_bytes, shard_capacity_bytes_);
  }

  /// The sum of the charges of what is kept.
  int64_t charged_bytes() {
    int64_t sum = 0;
    for (Shard& shard : shards_) sum += shard.charged_bytes();
    return sum;
  }

 private:
  static constexpr size_t kShards = 16;

  class Shard {
   public:
    std::shared_ptr<const Value> Find(const std::string& key) HANGAR_EXCLUDES(mutex_) {
      MutexLock lock(mutex_);
      const auto found = index_.find(key);
      if (found == index_.end()) return nullptr;
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->value;
    }

    void Insert(const std::string& key, std::shared_ptr<const Value> value, int64_t charge_bytes,
                int64_t capacity_bytes) HANGAR_EXCLUDES(mutex_) {
      std::list<Entry> removed;  // Destroyed after the lock is given up: values can be large.
      MutexLock lock(mutex_);
      if (const auto found = index_.find(key); found != index_.end()) {
        Remove(found->second, &removed);
      }
      if (charge_bytes > capacity_bytes) return;
      while (charged_bytes_ + charge_bytes > capacity_bytes) {
        Remove(std::prev(entries_.end()), &removed);
      }
      entries_.push_front({key, std::move(value), charge_bytes});
      index_.emplace(entries_.front().key, entries_.begin());
      charged_bytes_ += charge_bytes;
    }

    int64_t charged_bytes() HANGAR_EXCLUDES(mutex_) {
      MutexLock lock(mutex_);
      return charged_bytes_;
    }

   private:
    struct Entry {
      std::string key;
      std::shared_ptr<const Value> value;
      int64_t charge_bytes = 0;
    };

    void Remove(typename std::list<Entry>::iterator entry, std::list<Entry>* removed)
        HANGAR_REQUIRES(mutex_) {
      charged_bytes_ -= entry->charge_bytes;
      index_.erase(entry->key);
      removed->splice(removed->begin(), entries_, entry);
    }

    Mutex mutex_;
    std::list<Entry> entries_ HANGAR_GUARDED_BY(mutex_);  // The most recently used one first.
    // Keys are views of the entries' own.
    std::unordered_map<std::string_view, typename std::list<Entry>::iterator> index_
        HANGAR_GUARDED_BY(mutex_);
    int64_t charged_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  };

  Shard& ShardOf(const std::string& key) {
    return shards_[std::hash<std::string_view>()(key) % kShards];
  }

  const int64_t shard_capacity_bytes_;
  std::array<Shard, kShards> shards_;
};

}  // namespace hangar
