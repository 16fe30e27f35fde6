#include "access/key_source.h"

#include <algorithm>
#include <cstddef>
#include <thread>
#include <utility>

#include "access/reloaded_file.h"
#include "base/error.h"
#include "base/mutex.h"

namespace hangar {
namespace {

using Clock = std::chrono::steady_clock;
using SharedKeys = std::shared_ptr<const JwkSet>;

// Of threads that serve calls: those beyond do without.
constexpr size_t kWaitersMax = 16;

class FileKeys final : public KeySource {
 public:
  explicit FileKeys(std::unique_ptr<ReloadedFile<JwkSet>> file) : file_(std::move(file)) {}

  arrow::Result<SharedKeys> Keys() override { return file_->Current(); }
  arrow::Result<SharedKeys> NewerKeys(const SharedKeys& /*seen*/) override {
    return file_->Current();
  }

 private:
  const std::unique_ptr<ReloadedFile<JwkSet>> file_;
};

class ThreadKeys final : public KeySource {
 public:
  ThreadKeys(FetchedKeysOptions options, std::shared_ptr<Logger> logger)
      : options_(std::move(options)), logger_(std::move(logger)), thread_([this] { Run(); }) {}

  ~ThreadKeys() override {
    {
      const MutexLock lock(mutex_);
      is_stopping_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }

  arrow::Result<SharedKeys> Keys() override {
    const MutexLock lock(mutex_);
    if (!HasKeys()) WaitForFetch();
    if (HasKeys()) return keys_;
    return Error(ErrorKind::kUnavailable,
                 "the identity provider's keys cannot be had now; try again in {} s",
                 std::max<int64_t>(1, Seconds(options_.fetch_interval_min)));
  }

  arrow::Result<SharedKeys> NewerKeys(const SharedKeys& seen) override {
    const MutexLock lock(mutex_);
    if (keys_ == seen) WaitForFetch();
    return keys_ == nullptr ? seen : keys_;
  }

 private:
  static int64_t Seconds(std::chrono::milliseconds duration) {
    return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  }

  bool HasKeys() const HANGAR_REQUIRES(mutex_) {
    return keys_ != nullptr && Clock::now() < fetched_ + options_.kept;
  }

  // Until a fetch has ended that runs or may begin now.
  void WaitForFetch() HANGAR_REQUIRES(mutex_) {
    const auto now = Clock::now();
    if (!is_fetching_ && now < next_allowed_) return;
    if (waiters_ >= kWaitersMax) return;
    is_wanted_ = true;
    changed_.NotifyAll();
    const auto before = fetches_;
    ++waiters_;
    while (fetches_ == before && !is_stopping_) {
      if (!changed_.WaitUntil(mutex_, now + options_.wait_max)) break;
    }
    --waiters_;
  }

  void Run() {
    while (WaitUntilDue()) {
      auto text = options_.fetch(is_stopping_);
      auto keys =
          text.ok() ? ParseJwkSet(*text, options_.name) : arrow::Result<JwkSet>(text.status());
      Take(std::move(keys));
    }
  }

  // False when it is to end.
  bool WaitUntilDue() HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (!is_stopping_) {
      const auto due = is_wanted_ ? next_allowed_ : next_refresh_;
      if (due <= Clock::now()) break;
      changed_.WaitUntil(mutex_, due);
    }
    is_wanted_ = false;
    is_fetching_ = true;
    return !is_stopping_;
  }

  void Take(arrow::Result<JwkSet> keys) HANGAR_EXCLUDES(mutex_) {
    bool is_news = false;
    {
      const MutexLock lock(mutex_);
      const auto now = Clock::now();
      next_allowed_ = now + options_.fetch_interval_min;
      next_refresh_ = keys.ok() ? now + options_.refresh_interval : next_allowed_;
      is_fetching_ = false;
      // Asked for while it ran: these are the keys.
      is_wanted_ = false;
      ++fetches_;
      is_news = std::exchange(has_failed_, !keys.ok()) != !keys.ok();
      if (keys.ok()) {
        keys_ = std::make_shared<const JwkSet>(*std::move(keys));
        fetched_ = now;
      }
    }
    changed_.NotifyAll();
    if (!is_news || is_stopping_) return;
    if (keys.ok()) {
      logger_->Info("the identity provider's keys can be had again", {{"address", options_.name}});
    } else {
      logger_->Warning("the identity provider's keys cannot be fetched",
                       {{"address", options_.name}, {"error", keys.status().message()}});
    }
  }

  const FetchedKeysOptions options_;
  const std::shared_ptr<Logger> logger_;
  std::atomic<bool> is_stopping_{false};  // Set under the lock, for those who wait with it.

  Mutex mutex_;
  CondVar changed_;
  SharedKeys keys_ HANGAR_GUARDED_BY(mutex_);
  Clock::time_point fetched_ HANGAR_GUARDED_BY(mutex_);
  Clock::time_point next_refresh_ HANGAR_GUARDED_BY(mutex_){};  // At once.
  Clock::time_point next_allowed_ HANGAR_GUARDED_BY(mutex_){};
  int64_t fetches_ HANGAR_GUARDED_BY(mutex_) = 0;
  size_t waiters_ HANGAR_GUARDED_BY(mutex_) = 0;
  bool is_wanted_ HANGAR_GUARDED_BY(mutex_) = false;
  bool is_fetching_ HANGAR_GUARDED_BY(mutex_) = false;
  bool has_failed_ HANGAR_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // The last, as it uses the others.
};

}  // namespace

arrow::Result<std::unique_ptr<KeySource>> KeysOfFile(const std::string& path,
                                                     std::shared_ptr<Logger> logger) {
  ARROW_ASSIGN_OR_RAISE(auto file,
                        ReloadedFile<JwkSet>::Make(path, ParseJwkSet, std::move(logger)));
  return std::make_unique<FileKeys>(std::move(file));
}

std::unique_ptr<KeySource> FetchedKeys(FetchedKeysOptions options, std::shared_ptr<Logger> logger) {
  return std::make_unique<ThreadKeys>(std::move(options), std::move(logger));
}

}  // namespace hangar
