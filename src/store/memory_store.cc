#include "store/memory_store.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <format>
#include <map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

using Bytes = std::shared_ptr<const std::string>;

struct Object {
  ObjectInfo info;
  Bytes bytes;
};

struct RetiredBytes {
  RetiredObject retired;
  Bytes bytes;
};

class MemoryReader final : public ObjectReader {
 public:
  explicit MemoryReader(Object object) : object_(std::move(object)) {}

  const ObjectInfo& info() const override { return object_.info; }

  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    ARROW_RETURN_NOT_OK(CheckRange(object_.info, offset, length));
    if (length > 0) std::memcpy(out, object_.bytes->data() + offset, static_cast<size_t>(length));
    return arrow::Status::OK();
  }

 private:
  const Object object_;
};

/// The objects, shared by the store with its staged objects and listers, which may outlive it.
class Shelf {
 public:
  arrow::Result<Object> Get(const std::string& key) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return NoSuchObject(key);
    return found->second;
  }

  std::optional<ObjectInfo> FirstAfter(const std::string& key, const std::string& prefix)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = key < prefix ? objects_.lower_bound(prefix) : objects_.upper_bound(key);
    if (found == objects_.end() || !found->first.starts_with(prefix)) return std::nullopt;
    return found->second.info;
  }

  /// Names the bytes: a version of their own and the present time.
  Object Describe(Bytes bytes) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    Object object;
    object.info.version = std::format("m{}", ++last_version_);
    object.info.size_bytes = static_cast<int64_t>(bytes->size());
    object.info.modified = Now();
    object.bytes = std::move(bytes);
    return object;
  }

  arrow::Result<ObjectInfo> Put(const std::string& key, Object object,
                                const Precondition& precondition) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, Find(key)));
    Retire(key, RetiredBy::kReplaced);
    object.info.key = key;
    return (objects_[key] = std::move(object)).info;
  }

  arrow::Status Remove(const std::string& key, const Precondition& precondition)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const ObjectInfo* const current = Find(key);
    if (current == nullptr) return NoSuchObject(key);
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, current));
    Retire(key, RetiredBy::kDropped);
    objects_.erase(key);
    return arrow::Status::OK();
  }

  arrow::Result<ObjectInfo> Move(const std::string& from, const std::string& to,
                                 const Precondition& from_precondition,
                                 const Precondition& to_precondition) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const ObjectInfo* const moved = Find(from);
    if (moved == nullptr) return NoSuchObject(from);
    ARROW_RETURN_NOT_OK(CheckPrecondition(from, from_precondition, moved));
    ARROW_RETURN_NOT_OK(CheckPrecondition(to, to_precondition, Find(to)));
    if (from == to) return *moved;
    Retire(from, RetiredBy::kRenamed);
    Retire(to, RetiredBy::kReplaced);
    auto node = objects_.extract(from);
    node.key() = to;
    node.mapped().info.key = to;
    objects_.erase(to);
    return objects_.insert(std::move(node)).position->second.info;
  }

  std::vector<RetiredObject> ListRetired(const std::string& key) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::vector<RetiredObject> retired;
    for (const RetiredBytes& entry : retired_[key]) retired.push_back(entry.retired);
    return retired;
  }

  std::optional<std::string> FirstRetiredAfter(const std::string& key, const std::string& prefix)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    auto found = key < prefix ? retired_.lower_bound(prefix) : retired_.upper_bound(key);
    while (found != retired_.end() && found->second.empty()) ++found;
    if (found == retired_.end() || !found->first.starts_with(prefix)) return std::nullopt;
    return found->first;
  }

  arrow::Result<Object> GetRetired(const std::string& key, const std::string& version)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = FindRetired(key, version);
    if (found == retired_[key].end()) return NotRetired(key, version);
    return Object{found->retired.object, found->bytes};
  }

  arrow::Status Hold(const std::string& key, const std::string& version, Timestamp until)
      HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = FindRetired(key, version);
    if (found == retired_[key].end()) return NotRetired(key, version);
    if (found->retired.held_until >= until) return arrow::Status::OK();
    found->retired.held_until = until;
    found->retired.entry = NewEntry();
    return arrow::Status::OK();
  }

  arrow::Result<ObjectInfo> Restore(const std::string& key, const std::string& version,
                                    const Precondition& precondition) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const ObjectInfo* const current = Find(key);
    ARROW_RETURN_NOT_OK(CheckPrecondition(key, precondition, current));
    if (current != nullptr && current->version == version) return *current;
    const auto found = FindRetired(key, version);
    if (found == retired_[key].end() || found->retired.by == RetiredBy::kRenamed) {
      return NotRetired(key, version);
    }
    Object restored{found->retired.object, found->bytes};
    retired_[key].erase(found);
    Retire(key, RetiredBy::kReplaced);
    return (objects_[key] = std::move(restored)).info;
  }

  void Purge(const RetiredObject& retired) HANGAR_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::erase_if(retired_[retired.object.key],
                  [&](const RetiredBytes& entry) { return entry.retired.entry == retired.entry; });
  }

 private:
  const ObjectInfo* Find(const std::string& key) const HANGAR_REQUIRES(mutex_) {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : &found->second.info;
  }

  std::vector<RetiredBytes>::iterator FindRetired(const std::string& key,
                                                  const std::string& version)
      HANGAR_REQUIRES(mutex_) {
    return std::ranges::find(retired_[key], version, [](const RetiredBytes& entry) {
      return entry.retired.object.version;
    });
  }

  std::string NewEntry() HANGAR_REQUIRES(mutex_) { return std::format("r{}", ++last_entry_); }

  // Keeps what stands at the key, if anything, before a change takes it away.
  void Retire(const std::string& key, RetiredBy by) HANGAR_REQUIRES(mutex_) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    std::vector<RetiredBytes>& entries = retired_[key];
    entries.insert(entries.begin(), RetiredBytes{.retired = {.object = found->second.info,
                                                             .retired = Now(),
                                                             .by = by,
                                                             .held_until = {},
                                                             .entry = NewEntry()},
                                                 .bytes = found->second.bytes});
  }

  Mutex mutex_;
  std::map<std::string, Object> objects_ HANGAR_GUARDED_BY(mutex_);
  // The latest first.
  std::map<std::string, std::vector<RetiredBytes>> retired_ HANGAR_GUARDED_BY(mutex_);
  int64_t last_version_ HANGAR_GUARDED_BY(mutex_) = 0;
  int64_t last_entry_ HANGAR_GUARDED_BY(mutex_) = 0;
};

class MemoryStaged final : public StagedObject {
 public:
  explicit MemoryStaged(std::shared_ptr<Shelf> shelf) : shelf_(std::move(shelf)) {}

  arrow::Status Append(const void* bytes, int64_t length) override {
    if (sealed_) return UsedOutOfOrder("written to after it was sealed");
    growing_.append(static_cast<const char*>(bytes), static_cast<size_t>(length));
    return arrow::Status::OK();
  }

  int64_t size_bytes() const override {
    return sealed_ ? sealed_->info.size_bytes : static_cast<int64_t>(growing_.size());
  }

  arrow::Status Seal() override {
    if (sealed_) return UsedOutOfOrder("sealed twice");
    sealed_ = shelf_->Describe(std::make_shared<const std::string>(std::move(growing_)));
    return arrow::Status::OK();
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenSealed() override {
    if (!sealed_) return UsedOutOfOrder("read before it was sealed");
    return std::make_unique<MemoryReader>(*sealed_);
  }

  arrow::Result<ObjectInfo> Publish(const std::string& key,
                                    const Precondition& precondition) override {
    if (!sealed_ || published_) return UsedOutOfOrder("published unsealed or twice");
    ARROW_ASSIGN_OR_RAISE(ObjectInfo info, shelf_->Put(key, *sealed_, precondition));
    published_ = true;
    return info;
  }

 private:
  const std::shared_ptr<Shelf> shelf_;
  std::string growing_;
  std::optional<Object> sealed_;
  bool published_ = false;
};

class MemoryLister final : public ObjectLister {
 public:
  MemoryLister(std::shared_ptr<Shelf> shelf, ListOptions options)
      : shelf_(std::move(shelf)), prefix_(std::move(options.prefix)), last_(options.after) {}

  arrow::Result<std::optional<ObjectInfo>> Next() override {
    std::optional<ObjectInfo> next = shelf_->FirstAfter(last_, prefix_);
    if (next) last_ = next->key;
    return next;
  }

 private:
  const std::shared_ptr<Shelf> shelf_;
  const std::string prefix_;
  std::string last_;
};

class MemoryRetiredLister final : public KeyLister {
 public:
  MemoryRetiredLister(std::shared_ptr<Shelf> shelf, ListOptions options)
      : shelf_(std::move(shelf)), prefix_(std::move(options.prefix)), last_(options.after) {}

  arrow::Result<std::optional<std::string>> Next() override {
    std::optional<std::string> next = shelf_->FirstRetiredAfter(last_, prefix_);
    if (next) last_ = *next;
    return next;
  }

 private:
  const std::shared_ptr<Shelf> shelf_;
  const std::string prefix_;
  std::string last_;
};

class MemoryStore final : public ObjectStore {
 public:
  arrow::Result<ObjectInfo> Stat(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(Object object, shelf_->Get(key));
    return object.info;
  }

  arrow::Result<std::unique_ptr<ObjectReader>> Open(const std::string& key) override {
    ARROW_ASSIGN_OR_RAISE(Object object, shelf_->Get(key));
    return std::make_unique<MemoryReader>(std::move(object));
  }

  arrow::Result<std::unique_ptr<StagedObject>> Stage(const StageOptions& /*options*/) override {
    return std::make_unique<MemoryStaged>(shelf_);
  }

  arrow::Result<std::unique_ptr<ObjectLister>> List(const ListOptions& options) override {
    return std::make_unique<MemoryLister>(shelf_, options);
  }

  arrow::Status Delete(const std::string& key, const Precondition& precondition) override {
    return shelf_->Remove(key, precondition);
  }

  arrow::Result<ObjectInfo> Rename(const std::string& from, const std::string& to,
                                   const Precondition& from_precondition,
                                   const Precondition& to_precondition) override {
    return shelf_->Move(from, to, from_precondition, to_precondition);
  }

  arrow::Result<std::vector<RetiredObject>> ListRetired(const std::string& key) override {
    return shelf_->ListRetired(key);
  }

  arrow::Result<std::unique_ptr<KeyLister>> ListRetiredKeys(const ListOptions& options) override {
    return std::make_unique<MemoryRetiredLister>(shelf_, options);
  }

  arrow::Result<std::unique_ptr<ObjectReader>> OpenRetired(const std::string& key,
                                                           const std::string& version) override {
    ARROW_ASSIGN_OR_RAISE(Object object, shelf_->GetRetired(key, version));
    return std::make_unique<MemoryReader>(std::move(object));
  }

  arrow::Status HoldRetired(const std::string& key, const std::string& version,
                            Timestamp until) override {
    return shelf_->Hold(key, version, until);
  }

  arrow::Result<ObjectInfo> RestoreRetired(const std::string& key, const std::string& version,
                                           const Precondition& precondition) override {
    return shelf_->Restore(key, version, precondition);
  }

  arrow::Status PurgeRetired(const RetiredObject& retired) override {
    shelf_->Purge(retired);
    return arrow::Status::OK();
  }

  arrow::Result<SweepReport> SweepStaging() override { return SweepReport{}; }

 private:
  const std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

}  // namespace

std::shared_ptr<ObjectStore> MakeMemoryStore() { return std::make_shared<MemoryStore>(); }

}  // namespace hangar
