#include "catalog/catalog.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "catalog/for_each_index.h"

namespace hangar {
namespace {

// What a cached entry takes beside its footer: key, list and map nodes.
constexpr int64_t kEntryOverheadBytes = 256;
// Why files are not served is a sentence each: this remembers some ten thousand of them.
constexpr int64_t kUnservableBytes = 4 * 1024 * 1024;

// A listing looks so far ahead at most. The first datasets come one by one, so that a client sees
// them soon and a short page reads little that it does not give.
constexpr size_t kBatchMax = 64;

arrow::Status CheckVersion(const DatasetName& name, const ObjectInfo& object,
                           const std::optional<std::string>& version) {
  if (!version || *version == object.version) return arrow::Status::OK();
  return Error(ErrorKind::kNotFound,
               "version {} of {} is gone: the dataset changed; ask for it again", Quoted(*version),
               Quoted(name.value()));
}

}  // namespace

Catalog::Catalog(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
                 int64_t footer_cache_bytes)
    : store_(std::move(store)),
      logger_(std::move(logger)),
      footers_(footer_cache_bytes),
      unservable_(kUnservableBytes) {}

void Catalog::Learn(const ObjectInfo& object, std::shared_ptr<const Footer> footer) {
  const int64_t charge_bytes = footer->memory_bytes + kEntryOverheadBytes;
  footers_.Insert(object.version, std::move(footer), charge_bytes);
}

std::string Catalog::UnservableKey(const ObjectInfo& object) {
  return object.version + "/" + object.key;
}

arrow::Result<std::shared_ptr<const Footer>> Catalog::FindFooter(const ObjectInfo& object) {
  if (auto footer = footers_.Find(object.version)) return footer;
  if (const auto status = unservable_.Find(UnservableKey(object))) return *status;
  return nullptr;
}

arrow::Result<std::shared_ptr<const Footer>> Catalog::FooterOf(ObjectReader& reader) {
  const ObjectInfo& object = reader.info();
  ARROW_ASSIGN_OR_RAISE(const auto cached, FindFooter(object));
  if (cached != nullptr) return cached;
  auto footer = ReadFooter(reader, schemas_);
  if (footer.ok()) {
    Learn(object, *footer);
  } else if (KindOf(footer.status()) == ErrorKind::kDataLoss) {
    // Remembered so that a listing opens a file that is not Parquet, and logs it, once.
    logger_->Warning("a file in the data folder is not served",
                     {{"dataset", object.key}, {"reason", footer.status().message()}});
    unservable_.Insert(UnservableKey(object),
                       std::make_shared<const arrow::Status>(footer.status()), kEntryOverheadBytes);
  }
  return footer;
}

arrow::Result<Snapshot> Catalog::DescribeObject(const ObjectInfo& object) {
  ARROW_ASSIGN_OR_RAISE(auto cached, FindFooter(object));
  if (cached != nullptr) return Snapshot{object, std::move(cached)};
  ARROW_ASSIGN_OR_RAISE(const auto reader, store_->Open(object.key));
  ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
  return Snapshot{reader->info(), std::move(footer)};
}

arrow::Result<Snapshot> Catalog::Describe(const DatasetName& name,
                                          const std::optional<std::string>& version) {
  ARROW_ASSIGN_OR_RAISE(const ObjectInfo object, store_->Stat(name.value()));
  ARROW_RETURN_NOT_OK(CheckVersion(name, object, version));
  ARROW_ASSIGN_OR_RAISE(Snapshot snapshot, DescribeObject(object));
  // The file can have been replaced between looking at it and opening it.
  ARROW_RETURN_NOT_OK(CheckVersion(name, snapshot.object, version));
  return snapshot;
}

arrow::Result<OpenSnapshot> Catalog::Open(const DatasetName& name,
                                          const std::optional<std::string>& version) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<ObjectReader> reader, store_->Open(name.value()));
  ARROW_RETURN_NOT_OK(CheckVersion(name, reader->info(), version));
  ARROW_ASSIGN_OR_RAISE(auto footer, FooterOf(*reader));
  ObjectInfo object = reader->info();
  return OpenSnapshot{{std::move(object), std::move(footer)}, std::move(reader)};
}

arrow::Result<std::unique_ptr<Catalog::Lister>> Catalog::List(DatasetFilter filter,
                                                              WorkerPool* workers) {
  ARROW_ASSIGN_OR_RAISE(auto objects,
                        store_->List({.prefix = filter.prefix, .after = filter.after}));
  return std::unique_ptr<Lister>(new Lister(this, std::move(filter), std::move(objects), workers));
}

bool Catalog::Lister::IsWanted(const std::string& key) const {
  if (!filter_.glob.empty() && !GlobMatches(filter_.glob, key)) return false;
  return DatasetName::Parse(key).ok();
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
      batch_.push_back(Snapshot{**std::move(object), *std::move(footer)});
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
  batch_max_ = std::min(2 * batch_max_, kBatchMax);
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
