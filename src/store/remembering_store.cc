#include "store/remembering_store.h"

#include <algorithm>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/mutex.h"

namespace hangar {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeysMax = 100'000;

// What was said of keys, and until when it counts. Thread-safe.
class RememberedObjects {
 public:
  explicit RememberedObjects(std::chrono::milliseconds ttl) : ttl_(ttl) {}

  std::optional<ObjectInfo> Find(const std::string& key) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end() || found->second.until <= Clock::now()) return std::nullopt;
    return found->second.object;
  }

  /// To be asked before the store is; for RememberUnlessChanged.
  int64_t changes() HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return changes_;
  }

  /// What the store said may be older than a change through us that came in between.
  void RememberUnlessChanged(const ObjectInfo& object, int64_t changes) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (changes == changes_) Remember(object);
  }

  /// A change through us is about to happen, or has.
  void Forget(const std::string& key) HANGAR_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ++changes_;
    objects_.erase(key);
  }

 private:
  struct Entry {
    ObjectInfo object;
    Clock::time_point until;
  };

  void Remember(const ObjectInfo& object) HANGAR_REQUIRES(mutex_) {
    const auto now = Clock::now();
    while (!order_.empty() && (order_.size() >= kKeysMax || order_.front().second <= now)) {
      const auto found = objects_.find(order_.front().first);
      if (found != objects_.end() && found->second.until == order_.front().second) {
        objects_.erase(found);
      }
      order_.pop_front();
    }
    objects_[object.key] = {.object = object, .until = now + ttl_};
    order_.emplace_back(object.key, now + ttl_);
  }

  const std::chrono::milliseconds ttl_;
  Mutex mutex_;
  int64_t changes_ HANGAR_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, Entry> objects_ HANGAR_GUARDED_BY(mutex_);
  // In the order in which they end; some were forgotten or said anew since.
  std::deque<std::pair<std::string, Clock::time_point>> order_ HANGAR_GUARDED_BY(mutex_);
};

class RememberingReader final : public ObjectReader {
 public:
  RememberingReader(std::unique_ptr<ObjectReader> reader,
                    std::shared_ptr<RememberedObjects> remembered)
      : reader_(std::move(reader)), remembered_(std::move(remembered)) {}

  const ObjectInfo& info() const override { return reader_->info(); }
  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    auto status = reader_->ReadAt(offset, length, out);
    if (KindOf(status) == ErrorKind::kNotFound) remembered_->Forget(info().key);
    return status;
  }
  bool DiscardReadBytes() override { return reader_->DiscardReadBytes(); }
  std::optional<int> DuplicateDescriptor() const override { return reader_->DuplicateDescriptor(); }

 private:
  const std::unique_ptr<ObjectReader> reader_;
  const std::shared_ptr<RememberedObjects> remembered_;
};

class RememberingStagedObject final : public StagedObject {
 public:
  RememberingStagedObject(std::unique_ptr<StagedObject> staged,
                          std::shared_ptr<RememberedObjects> remembered)
      : staged_(std::move(staged)), remembered_(std::move(remembered)) {}

  arrow::Status Append(const void* bytes, int64_t length) override {
    return staged_->Append(bytes, length);
  }
  int64_t size_bytes() const override { return staged_->size_bytes(); }
  arrow::Status Seal() override { return staged_->Seal(); }
  void BeginEnd() override { staged_->BeginEnd(); }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    return staged_->OpenSealed();
  }
  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    auto published = staged_->Publish(key, precondition);
    remembered_->Forget(key);
    return published;
  }

 private:
  const std::unique_ptr<StagedObject> staged_;
  const std::shared_ptr<RememberedObjects> remembered_;
};

class RememberingStore final : public ObjectStore {
 public:
  RememberingStore(std::shared_ptr<ObjectStore> store, std::chrono::milliseconds ttl)
      : store_(std::move(store)), remembered_(std::make_shared<RememberedObjects>(ttl)) {}

  bool IsRemote() const override { return store_->IsRemote(); }

  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    if (auto object = remembered_->Find(key)) return *std::move(object);
    const int64_t changes = remembered_->changes();
    ARROW_ASSIGN_OR_RAISE(ObjectInfo object, store_->Stat(key));
    remembered_->RememberUnlessChanged(object, changes);
    return object;
  }

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    if (const auto object = remembered_->Find(key)) {
      ARROW_ASSIGN_OR_RAISE(auto reader, store_->OpenAt(*object));
      return std::make_unique<RememberingReader>(std::move(reader), remembered_);
    }
    const int64_t changes = remembered_->changes();
    return Remembered(store_->Open(key), changes);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenWithEnd(const std::string& key) override {
    const int64_t changes = remembered_->changes();
    return Remembered(store_->OpenWithEnd(key), changes);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenAt(const ObjectInfo& object) override {
    return store_->OpenAt(object);
  }

  void Forget(const std::string& key) override { remembered_->Forget(key); }

  arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& options) override {
    ARROW_ASSIGN_OR_RAISE(auto staged, store_->Stage(options));
    return std::make_unique<RememberingStagedObject>(std::move(staged), remembered_);
  }
  StagingMemory staging_memory() const override { return store_->staging_memory(); }

  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return store_->List(options);
  }

  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    auto status = store_->Delete(key, precondition);
    remembered_->Forget(key);
    return status;
  }

  arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                   const Precondition& from_precondition,
                                   const Precondition& to_precondition) override {
    auto renamed = store_->Rename(from, to, from_precondition, to_precondition);
    remembered_->Forget(from);
    remembered_->Forget(to);
    return renamed;
  }

  arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) override {
    return store_->ListRetired(key);
  }
  arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) override {
    return store_->ListRetiredKeys(options);
  }
  arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                           const std::string& version) override {
    return store_->OpenRetired(key, version);
  }
  arrow::Status HoldRetired(const std::string& key, const std::string& version,
                            Timestamp until) override {
    return store_->HoldRetired(key, version, until);
  }

  arrow::Result<ObjectInfo> RestoreRetired(const std::string& key, const std::string& version,
                                           const Precondition& precondition) override {
    auto restored = store_->RestoreRetired(key, version, precondition);
    remembered_->Forget(key);
    return restored;
  }

  arrow::Status PurgeRetired(const RetiredObject& retired) override {
    return store_->PurgeRetired(retired);
  }
  arrow::Result<SweepReport> SweepStaging() override { return store_->SweepStaging(); }

 private:
  arrow::Result<std::unique_ptr<ObjectReader>> Remembered(
      arrow::Result<std::unique_ptr<ObjectReader>> opened, int64_t changes) {
    ARROW_RETURN_NOT_OK(opened.status());
    remembered_->RememberUnlessChanged((*opened)->info(), changes);
    return std::make_unique<RememberingReader>(*std::move(opened), remembered_);
  }

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<RememberedObjects> remembered_;
};

}  // namespace

std::shared_ptr<ObjectStore> RememberVersions(std::shared_ptr<ObjectStore> store,
                                              std::chrono::milliseconds ttl) {
  return std::make_shared<RememberingStore>(std::move(store), ttl);
}

}  // namespace hangar
