#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/mutex.h"

namespace hangar {

/// How a cache did since it was made.
struct CacheStats {
  int64_t hits = 0;
  int64_t misses = 0;
  int64_t evictions = 0;  ///< Values that left to make room.
};

/// Shares immutable values by key, charged by bytes, within a capacity. Values that callers still
/// hold live on outside the cache. Split into shards by key so that threads rarely meet; each shard
/// holds its part of the capacity. A value that is larger than a shard's part is not kept.
/// Thread-safe.
///
/// What leaves when it is full is decided by S3-FIFO (Yang, Zhang, Qiu, Yue, Rashmi: "FIFO queues
/// are all you need for cache eviction", SOSP 2023): a new value stands on probation in a small
/// queue, a tenth of the capacity, and leaves from it unless it was used meanwhile; one that was
/// used, or that comes back soon after it left, goes to the main queue. So one huge scan passes
/// through the small queue and does not throw out what is used again and again, and a hit moves
/// nothing.
template <typename Value, typename Key = std::string, typename Hash = std::hash<Key>>
class ByteCache {
 public:
  explicit ByteCache(int64_t capacity_bytes)
      : capacity_bytes_(capacity_bytes),
        shard_capacity_bytes_(capacity_bytes / static_cast<int64_t>(kShards)) {}

  /// The value, or nullptr when it is not here.
  std::shared_ptr<const Value> Find(const Key& key) {
    const size_t hash = Mixed(Hash()(key));
    return ShardOf(hash).Find(key, /*counts=*/true);
  }

  /// As Find, for what was looked for a moment ago in vain: it does not count once more.
  std::shared_ptr<const Value> FindAgain(const Key& key) {
    const size_t hash = Mixed(Hash()(key));
    return ShardOf(hash).Find(key, /*counts=*/false);
  }

  /// Keeps the value, replacing an earlier one of that key.
  void Insert(const Key& key, std::shared_ptr<const Value> value, int64_t charge_bytes) {
    const size_t hash = Mixed(Hash()(key));
    ShardOf(hash).Insert(key, hash, std::move(value), charge_bytes, shard_capacity_bytes_);
  }

  /// Lets go of one value; what callers hold lives on.
  void Erase(const Key& key) { ShardOf(Mixed(Hash()(key))).Erase(key); }

  /// Lets go of about `bytes`, what would leave next first, and returns the sum of their charges: 0
  /// when nothing is left. What callers hold lives on.
  int64_t Release(int64_t bytes) {
    // Each time from another shard on, so that all become smaller alike.
    const size_t first = next_to_release_.fetch_add(1, std::memory_order_relaxed);
    int64_t released_bytes = 0;
    for (size_t i = 0; i < kShards && released_bytes < bytes; ++i) {
      released_bytes +=
          shards_[(first + i) % kShards].Release(bytes - released_bytes, shard_capacity_bytes_);
    }
    return released_bytes;
  }

  /// Lets go of everything; what callers hold lives on.
  void Clear() {
    for (Shard& shard : shards_) shard.Clear();
  }

  int64_t capacity_bytes() const { return capacity_bytes_; }

  /// The sum of the charges of what is kept.
  int64_t charged_bytes() {
    int64_t sum = 0;
    for (Shard& shard : shards_) sum += shard.charged_bytes();
    return sum;
  }

  CacheStats stats() {
    CacheStats sum;
    for (Shard& shard : shards_) {
      const CacheStats stats = shard.stats();
      sum.hits += stats.hits;
      sum.misses += stats.misses;
      sum.evictions += stats.evictions;
    }
    return sum;
  }

 private:
  static constexpr size_t kShards = 16;

  class Shard {
   public:
    std::shared_ptr<const Value> Find(const Key& key, bool counts) HANGAR_EXCLUDES(mutex_) {
      MutexLock lock(mutex_);
      const auto found = index_.find(key);
      if (counts) ++(found == index_.end() ? stats_.misses : stats_.hits);
      if (found == index_.end()) return nullptr;
      Entry& entry = *found->second;
      entry.uses = std::min(entry.uses + 1, kUsesMax);
      return entry.value;
    }

    void Insert(const Key& key, size_t hash, std::shared_ptr<const Value> value,
                int64_t charge_bytes, int64_t capacity_bytes) HANGAR_EXCLUDES(mutex_) {
      Queue removed;  // Destroyed after the lock is given up: values can be large.
      MutexLock lock(mutex_);
      bool to_main = ghosts_.erase(hash) > 0;
      if (const auto found = index_.find(key); found != index_.end()) {
        to_main = to_main || found->second->in_main;
        Remove(found->second, &removed);
      }
      if (charge_bytes > capacity_bytes) return;
      ShrinkTo(capacity_bytes - charge_bytes, capacity_bytes, &removed);
      Queue& queue = to_main ? main_ : small_;
      queue.push_front({key, hash, std::move(value), charge_bytes, /*uses=*/0, to_main});
      (to_main ? main_bytes_ : small_bytes_) += charge_bytes;
      index_[key] = queue.begin();
    }

    void Erase(const Key& key) HANGAR_EXCLUDES(mutex_) {
      Queue removed;
      MutexLock lock(mutex_);
      if (const auto found = index_.find(key); found != index_.end()) {
        Remove(found->second, &removed);
      }
    }

    int64_t Release(int64_t bytes, int64_t capacity_bytes) HANGAR_EXCLUDES(mutex_) {
      Queue removed;
      MutexLock lock(mutex_);
      const int64_t before_bytes = small_bytes_ + main_bytes_;
      ShrinkTo(std::max<int64_t>(before_bytes - bytes, 0), capacity_bytes, &removed);
      return before_bytes - small_bytes_ - main_bytes_;
    }

    void Clear() HANGAR_EXCLUDES(mutex_) {
      Queue removed;
      MutexLock lock(mutex_);
      removed.splice(removed.end(), small_);
      removed.splice(removed.end(), main_);
      index_.clear();
      small_bytes_ = 0;
      main_bytes_ = 0;
    }

    int64_t charged_bytes() HANGAR_EXCLUDES(mutex_) {
      MutexLock lock(mutex_);
      return small_bytes_ + main_bytes_;
    }

    CacheStats stats() HANGAR_EXCLUDES(mutex_) {
      MutexLock lock(mutex_);
      return stats_;
    }

   private:
    // Figures of the paper: a tenth for the small queue, uses counted up to 3.
    static constexpr int64_t kSmallPart = 10;
    static constexpr int kUsesMax = 3;

    struct Entry {
      Key key;
      size_t hash = 0;
      std::shared_ptr<const Value> value;
      int64_t charge_bytes = 0;
      int uses = 0;  // Since it came into its queue, up to kUsesMax.
      bool in_main = false;
    };
    using Queue = std::list<Entry>;  // The newest first.
    using Position = typename Queue::iterator;

    void Remove(Position entry, Queue* removed) HANGAR_REQUIRES(mutex_) {
      (entry->in_main ? main_bytes_ : small_bytes_) -= entry->charge_bytes;
      index_.erase(entry->key);
      removed->splice(removed->begin(), entry->in_main ? main_ : small_, entry);
    }

    void ShrinkTo(int64_t bytes, int64_t capacity_bytes, Queue* removed) HANGAR_REQUIRES(mutex_) {
      while (small_bytes_ + main_bytes_ > bytes) {
        const bool small_is_full = small_bytes_ * kSmallPart > capacity_bytes;
        if (small_is_full || main_.empty()) {
          EvictFromSmall(removed);
        } else {
          EvictFromMain(removed);
        }
      }
    }

    void EvictFromSmall(Queue* removed) HANGAR_REQUIRES(mutex_) {
      const Position oldest = std::prev(small_.end());
      if (oldest->uses == 0) {
        RememberGhost(oldest->hash);
        ++stats_.evictions;
        Remove(oldest, removed);
        return;
      }
      oldest->uses = 0;
      oldest->in_main = true;
      small_bytes_ -= oldest->charge_bytes;
      main_bytes_ += oldest->charge_bytes;
      main_.splice(main_.begin(), small_, oldest);
    }

    void EvictFromMain(Queue* removed) HANGAR_REQUIRES(mutex_) {
      const Position oldest = std::prev(main_.end());
      if (oldest->uses == 0) {
        ++stats_.evictions;
        Remove(oldest, removed);
        return;
      }
      --oldest->uses;
      main_.splice(main_.begin(), main_, oldest);
    }

    // As many as there are entries, as in the paper; by hash, as a wrong guess costs little.
    void RememberGhost(size_t hash) HANGAR_REQUIRES(mutex_) {
      if (ghosts_.insert(hash).second) ghost_order_.push_back(hash);
      while (ghost_order_.size() > index_.size()) {
        ghosts_.erase(ghost_order_.front());
        ghost_order_.pop_front();
      }
    }

    Mutex mutex_;
    Queue small_ HANGAR_GUARDED_BY(mutex_);
    Queue main_ HANGAR_GUARDED_BY(mutex_);
    int64_t small_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
    int64_t main_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
    CacheStats stats_ HANGAR_GUARDED_BY(mutex_);
    std::unordered_map<Key, Position, Hash> index_ HANGAR_GUARDED_BY(mutex_);
    // What left the small queue unused, the longest ago first; some may have come back since.
    std::deque<size_t> ghost_order_ HANGAR_GUARDED_BY(mutex_);
    std::unordered_set<size_t> ghosts_ HANGAR_GUARDED_BY(mutex_);
  };

  // Spreads a weak hash over all bits (the finalizer of MurmurHash3).
  static size_t Mixed(size_t hash) {
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdULL;
    hash ^= hash >> 33;
    return hash;
  }

  Shard& ShardOf(size_t hash) { return shards_[hash % kShards]; }

  const int64_t capacity_bytes_;
  const int64_t shard_capacity_bytes_;
  std::array<Shard, kShards> shards_;
  std::atomic<size_t> next_to_release_ = 0;
};

}  // namespace hangar
