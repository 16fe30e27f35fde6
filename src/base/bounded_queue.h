#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace hangar {

/// A first-in first-out queue between threads whose weight is bounded: a producer waits while the
/// queue is full, a consumer while it is empty. Every item has a weight of its own, for example its
/// bytes; an item heavier than the whole queue is taken when the queue is empty.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(int64_t weight_max) : weight_max_(weight_max) {}

  /// Waits for room. False when the queue was closed: the item was not taken and never will be.
  bool Push(T item, int64_t weight) HANGAR_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      while (!closed_ && !items_.empty() && weight_ + weight > weight_max_) room_.Wait(mutex_);
      if (closed_) return false;
      items_.emplace_back(std::move(item), weight);
      weight_ += weight;
    }
    items_available_.NotifyOne();
    return true;
  }

  /// Waits for an item. nullopt when the queue was closed and is empty.
  std::optional<T> Pop() HANGAR_EXCLUDES(mutex_) {
    std::optional<T> item;
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.empty()) items_available_.Wait(mutex_);
      if (items_.empty()) return std::nullopt;
      item.emplace(std::move(items_.front().first));
      weight_ -= items_.front().second;
      items_.pop_front();
    }
    room_.NotifyOne();
    return item;
  }

  /// Ends the queue: producers are turned away from now on, consumers get what is left.
  void Close() HANGAR_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    room_.NotifyAll();
    items_available_.NotifyAll();
  }

 private:
  const int64_t weight_max_;
  Mutex mutex_;
  CondVar room_;
  CondVar items_available_;
  std::deque<std::pair<T, int64_t>> items_ HANGAR_GUARDED_BY(mutex_);
  int64_t weight_ HANGAR_GUARDED_BY(mutex_) = 0;
  bool closed_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
