#include "catalog/for_each_index.h"

#include <algorithm>
#include <memory>

#include "base/mutex.h"
#include "base/worker_pool.h"

namespace hangar {
namespace {

// Shared with tasks that the pool may begin when all is done and the caller gone: those find no
// index left, and touch nothing else.
class IndexQueue {
 public:
  IndexQueue(size_t count, const std::function<void(size_t)>* work)
      : count_(count), left_(count), work_(work) {}

  void Work() HANGAR_EXCLUDES(mutex_) {
    size_t index = 0;
    while (Take(&index)) {
      (*work_)(index);
      MutexLock lock(mutex_);
      if (--left_ == 0) done_.NotifyAll();
    }
  }

  void WaitUntilDone() HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (left_ > 0) done_.Wait(mutex_);
  }

 private:
  bool Take(size_t* index) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (next_ == count_) return false;
    *index = next_++;
    return true;
  }

  const size_t count_;
  Mutex mutex_;
  CondVar done_;
  size_t next_ HANGAR_GUARDED_BY(mutex_) = 0;
  size_t left_ HANGAR_GUARDED_BY(mutex_);
  const std::function<void(size_t)>* const work_;
};

}  // namespace

void ForEachIndex(WorkerPool* workers, size_t count, const std::function<void(size_t)>& work) {
  const size_t threads = workers == nullptr ? 1 : static_cast<size_t>(workers->threads());
  const auto queue = std::make_shared<IndexQueue>(count, &work);
  for (size_t i = 1; i < std::min(threads, count); ++i) {
    workers->Submit([queue] { queue->Work(); });
  }
  queue->Work();
  queue->WaitUntilDone();
}

}  // namespace hangar
