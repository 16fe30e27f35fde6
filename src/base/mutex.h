#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// Clang's thread-safety attributes (https://clang.llvm.org/docs/ThreadSafetyAnalysis.html), which
// the build checks with -Wthread-safety. Other compilers see nothing.
#if defined(__clang__)
#define HANGAR_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define HANGAR_THREAD_ANNOTATION(x)
#endif

#define HANGAR_GUARDED_BY(x) HANGAR_THREAD_ANNOTATION(guarded_by(x))
#define HANGAR_REQUIRES(...) HANGAR_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define HANGAR_EXCLUDES(...) HANGAR_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))

namespace hangar {

/// std::mutex that the thread-safety analysis knows.
class HANGAR_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void lock() HANGAR_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() HANGAR_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope.
class HANGAR_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HANGAR_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() HANGAR_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition variable for Mutex. Waits are in loops over the condition, as spurious wake-ups
/// happen.
class CondVar {
 public:
  /// Gives the mutex up while waiting and holds it again on return.
  void Wait(Mutex& mutex) HANGAR_REQUIRES(mutex) { condition_.wait(mutex); }
  /// As Wait, until the time has come; false when it has.
  template <typename Clock, typename Duration>
  bool WaitUntil(Mutex& mutex, std::chrono::time_point<Clock, Duration> time)
      HANGAR_REQUIRES(mutex) {
    return condition_.wait_until(mutex, time) == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable_any condition_;
};

}  // namespace hangar
