#include "catalog/catalog.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "base/worker_pool.h"
#include "catalog/for_each_index.h"
#include "store/store_errors.h"

namespace hangar {
namespace {

// What a cached entry takes beside its footer: key, list and map nodes.
constexpr int64_t kEntryOverheadBytes = 256;
// Why files are not served is a sentence each: this remembers some ten thousand of them.
constexpr int64_t kUnservableBytes = 4 * 1024 * 1024;
// Of what was at which key last: some hundred thousand keys.
constexpr int64_t kVersionsBytes = 32LL << 20;

// A listing looks so far ahead at most. The first datasets come one by one, so that a client sees
// them soon and a short page reads little that it does not give.
constexpr size_t kBatchMax = 64;
// With many threads, so that they do not all wait for the slowest too often.
constexpr size_t kBatchPerThread = 8;

// A version can go from its key to the history and back between two looks: so often they are
// repeated before it counts as gone.
constexpr int kLooksMax = 4;

// Tells bytes that are wrong from bytes that could not be read, which may be different next time.
class WatchedReader final : public ObjectReader {
 public:
  explicit WatchedReader(ObjectReader* reader) : reader_(reader) {}

  const ObjectInfo& info() const override { return reader_->info(); }
  arrow::Status ReadAt(int64_t offset, int64_t length, void* out) override {
    auto status = reader_->ReadAt(offset, length, out);
    failed_ = failed_ || !status.ok();
    return status;
  }
  bool DiscardReadBytes() override { return reader_->DiscardReadBytes(); }
  bool failed() const { return failed_; }

 private:
  ObjectReader* const reader_;
  bool failed_ = false;
};

bool IsNotFound(const arrow::Status& status) { return KindOf(status) == ErrorKind::kNotFound; }

}  // namespace

Catalog::Catalog(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                 int64_t footer_cache_bytes)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      footers_(footer_cache_bytes),
      versions_(kVersionsBytes),
      unservable_(kUnservableBytes) {}

void Catalog::Learn(const ObjectInfo& object, std::shared_ptr<const Footer> footer) {
  const int64_t charge_bytes = footer->memory_bytes + kEntryOverheadBytes;
  footers_.Insert(object.version, std::move(footer), charge_bytes);
  if (!store_->IsRemote()) return;
  versions_.Insert(object.key, std::make_shared<const std::string>(object.version),
                   static_cast<int64_t>(object.key.size()) + kEntryOverheadBytes);
}

bool Catalog::MayKnow(const std::string& key, const std::optional<std::string>& version) {
  if (!store_->IsRemote()) return true;
  if (version) return footers_.FindAgain(*version) != nullptr;
  const auto last = versions_.Find(key);
  return last != nullptr && footers_.FindAgain(*last) != nullptr;
}

arrow::Result<std::unique_ptr<ObjectReader>> Catalog::OpenCurrent(
    const std::string& key, const std::optional<std::string>& version) {
  return MayKnow(key, version) ? store_->Open(key) : store_->OpenWithEnd(key);
}

void Catalog::Forget(const std::string& version) { footers_.Erase(version); }

std::string Catalog::UnservableKey(const ObjectInfo& object) {
  return object.version + "/" + object.key;
}

arrow::Result<std::shared_ptr<const Footer>> Catalog::FindFooter(const ObjectInfo& object) {
  if (auto footer = footers_.Find(object.version)) return footer;
  const auto unservable = unservable_.Find(UnservableKey(object));
  if (unservable && unservable->settled) return unservable->status;
  return nullptr;
}

// Remembered so that a listing opens a file that is not Parquet, and logs it, once.
void Catalog::NoteUnservable(const ObjectInfo& object, const arrow::Status& status) {
  const std::string key = UnservableKey(object);
  if (!unservable_.Find(key)) {
    logger_->Warning("a file in the data folder is not served",
                     {{"dataset", object.key}, {"reason", status.message()}});
  }
  unservable_.Insert(key, std::make_shared<const Unservable>(status, object.settled),
                     kEntryOverheadBytes);
}

arrow::Result<std::shared_ptr<const Footer>> Catalog::FooterOf(ObjectReader& reader) {
  const ObjectInfo& object = reader.info();
  ARROW_ASSIGN_OR_RAISE(const auto cached, FindFooter(object));
  if (cached != nullptr) return cached;
  WatchedReader watched(&reader);
  auto footer = ReadFooter(watched, schemas_);
  const auto is_damaged = [&] {
    return KindOf(footer.status()) == ErrorKind::kDataLoss && !watched.failed();
  };
  if (is_damaged() && watched.DiscardReadBytes()) footer = ReadFooter(watched, schemas_);
  if (footer.ok()) {
    if (object.settled) Learn(object, *footer);
  } else if (is_damaged()) {
    NoteUnservable(object, footer.status());
  }
  return footer;
}

arrow::Result<Snapshot> Catalog::DescribeObject(const ObjectInfo& object) {
  ARROW_ASSIGN_OR_RAISE(auto cached, FindFooter(object));
  if (cached != nullptr) return Snapshot{object, std::move(cached), std::nullopt};
  ARROW_ASSIGN_OR_RAISE(const auto reader, store_->OpenWithEnd(object.key));
  ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
  return Snapshot{reader->info(), std::move(footer), std::nullopt};
}

arrow::Result<Snapshot> Catalog::DescribeRetired(const RetiredObject& retired) {
  const Retirement retirement{.time = retired.retired, .by = retired.by};
  ARROW_ASSIGN_OR_RAISE(auto cached, FindFooter(retired.object));
  if (cached != nullptr) return Snapshot{retired.object, std::move(cached), retirement};
  ARROW_ASSIGN_OR_RAISE(const auto reader,
                        store_->OpenRetired(retired.object.key, retired.object.version));
  ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
  return Snapshot{retired.object, std::move(footer), retirement};
}

arrow::Result<Snapshot> Catalog::Describe(const DatasetName& name,
                                          const std::optional<std::string>& version) {
  if (!version && !MayKnow(name.value(), version)) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, store_->OpenWithEnd(name.value()));
    ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
    return Snapshot{reader->info(), std::move(footer), std::nullopt};
  }
  if (!version) {
    ARROW_ASSIGN_OR_RAISE(const ObjectInfo object, store_->Stat(name.value()));
    return DescribeObject(object);
  }
  for (int look = 0; look < kLooksMax; ++look) {
    if (look > 0) store_->Forget(name.value());
    const auto object = store_->Stat(name.value());
    if (!object.ok() && !IsNotFound(object.status())) return object.status();
    if (object.ok() && object->version == *version) {
      auto snapshot = DescribeObject(*object);
      if (!snapshot.ok() && !IsNotFound(snapshot.status())) return snapshot;
      // The file can have been replaced between looking at it and opening it.
      if (snapshot.ok() && snapshot->object.version == *version) return snapshot;
    }
    ARROW_ASSIGN_OR_RAISE(const auto all_retired, store_->ListRetired(name.value()));
    for (const RetiredObject& retired : all_retired) {
      if (retired.object.version != *version) continue;
      auto snapshot = DescribeRetired(retired);
      if (snapshot.ok() || !IsNotFound(snapshot.status())) return snapshot;
    }
  }
  return NotRetired(name.value(), *version);
}

arrow::Result<OpenSnapshot> Catalog::Open(const DatasetName& name,
                                          const std::optional<std::string>& version) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ObjectReader> reader, OpenVersion(name, version));
  ObjectInfo object = reader->info();
  // What was published here is known by now, and complete however young it is.
  object.settled = object.settled || footers_.Find(object.version) != nullptr;
  ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
  return OpenSnapshot{{std::move(object), std::move(footer), std::nullopt}, std::move(reader)};
}

arrow::Result<std::unique_ptr<ObjectReader>> Catalog::OpenVersion(
    const DatasetName& name, const std::optional<std::string>& version) {
  for (int look = 0; look < kLooksMax; ++look) {
    if (look > 0) store_->Forget(name.value());
    auto current = OpenCurrent(name.value(), version);
    if (!version || (current.ok() && (*current)->info().version == *version)) return current;
    if (!current.ok() && !IsNotFound(current.status())) return current.status();
    auto retired = store_->OpenRetired(name.value(), *version);
    if (retired.ok() || !IsNotFound(retired.status())) return retired;
  }
  return NotRetired(name.value(), *version);
}

arrow::Result<std::string> Catalog::VersionAt(const DatasetName& name, Timestamp time) {
  const auto current = store_->Stat(name.value());
  if (!current.ok() && !IsNotFound(current.status())) return current.status();
  ARROW_ASSIGN_OR_RAISE(const auto all_retired, store_->ListRetired(name.value()));
  // Of those that were there by then, the one that was retired first after it.
  std::optional<std::string> version;
  if (current.ok() && current->modified <= time) version = current->version;
  for (const RetiredObject& retired : all_retired) {
    if (retired.retired <= time) break;
    if (retired.object.modified <= time) version = retired.object.version;
  }
  if (version) return *std::move(version);
  return Error(ErrorKind::kNotFound, "{} was not there at {}, or that version is not kept any more",
               Quoted(name.value()), FormatTimestamp(time));
}

arrow::Result<std::vector<Snapshot>> Catalog::Versions(const DatasetName& name) {
  std::vector<Snapshot> versions;
  auto current = Describe(name, std::nullopt);
  if (current.ok()) {
    versions.push_back(*std::move(current));
  } else if (!IsNotFound(current.status()) && KindOf(current.status()) != ErrorKind::kDataLoss) {
    return current.status();
  }
  ARROW_ASSIGN_OR_RAISE(const auto all_retired, store_->ListRetired(name.value()));
  for (const RetiredObject& retired : all_retired) {
    if (retired.by == RetiredBy::kRenamed) continue;
    // Left by a change that ended half way.
    if (!versions.empty() && versions[0].object.version == retired.object.version) continue;
    auto snapshot = DescribeRetired(retired);
    if (snapshot.ok()) versions.push_back(*std::move(snapshot));
  }
  return versions;
}

arrow::Result<std::unique_ptr<Catalog::Lister>> Catalog::List(DatasetFilter filter,
                                                              WorkerPool* workers) {
  ARROW_ASSIGN_OR_RAISE(auto objects,
                        store_->List({.prefix = filter.prefix, .after = filter.after}));
  return std::unique_ptr<Lister>(new Lister(this, std::move(filter), std::move(objects), workers));
}

bool Catalog::Lister::IsWanted(const std::string& key) const {
  if (!filter_.glob.empty() && !GlobMatches(filter_.glob, key)) return false;
  return DatasetName::Parse(key).ok() && (!filter_.admits || filter_.admits(key));
}

void Catalog::Lister::ReadBatch() {
  batch_.clear();
  next_ = 0;
  std::vector<std::pair<size_t, ObjectInfo>> unread;  // With their places in the batch.
  while (batch_.size() < batch_max_) {
    if (filter_.limit && given_ + static_cast<int64_t>(batch_.size()) >= *filter_.limit) break;
    auto object = objects_->Next();
    if (!object.ok() || !*object) {
      end_ = object.status();
      break;
    }
    if (!IsWanted((*object)->key)) continue;
    auto footer = catalog_->FindFooter(**object);
    if (!footer.ok()) continue;
    if (*footer != nullptr) {
      batch_.push_back(Snapshot{**std::move(object), *std::move(footer), std::nullopt});
    } else {
      unread.emplace_back(batch_.size(), **std::move(object));
      batch_.emplace_back();
    }
  }
  ForEachIndex(workers_, unread.size(), [&](size_t i) {
    // One bad, unreadable or vanished file must not end the listing of all others.
    auto snapshot = catalog_->DescribeObject(unread[i].second);
    if (snapshot.ok()) batch_[unread[i].first] = *std::move(snapshot);
  });
  const size_t threads = workers_ == nullptr ? 1 : static_cast<size_t>(workers_->threads());
  batch_max_ = std::min(2 * batch_max_, std::max(kBatchMax, kBatchPerThread * threads));
}

arrow::Result<std::optional<Snapshot>> Catalog::Lister::Next() {
  while (!filter_.limit || given_ < *filter_.limit) {
    if (next_ < batch_.size()) {
      std::optional<Snapshot>& snapshot = batch_[next_++];
      if (!snapshot) continue;
      ++given_;
      return std::move(snapshot);
    }
    if (end_) {
      ARROW_RETURN_NOT_OK(*end_);
      break;
    }
    ReadBatch();
  }
  return std::nullopt;
}

}  // namespace hangar
