#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace hangar {

/// A fixed number of threads that run short tasks in the order in which they were submitted. The
/// queue holds what callers submit: each bounds the number of its own tasks. Thread-safe. The
/// destructor runs what is queued and joins the threads; a task must not destroy its own pool.
class WorkerPool {
 public:
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// As many threads as the process may use processors.
  static int ProcessorCount();

  void Submit(std::function<void()> task) HANGAR_EXCLUDES(mutex_);

  int threads() const { return static_cast<int>(threads_.size()); }

 private:
  void Work() HANGAR_EXCLUDES(mutex_);

  Mutex mutex_;
  CondVar work_available_;
  std::deque<std::function<void()>> tasks_ HANGAR_GUARDED_BY(mutex_);
  bool stopping_ HANGAR_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;  // Last, so that they end before the rest goes.
};

}  // namespace hangar
