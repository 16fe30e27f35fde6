#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "base/log.h"
#include "cache/byte_cache.h"
#include "catalog/dataset_name.h"
#include "catalog/footer.h"
#include "catalog/stored_schemas.h"
#include "store/object_store.h"

namespace hangar {

class WorkerPool;

/// How a version came to be a past one.
struct Retirement {
  Timestamp time{};
  RetiredBy by = RetiredBy::kReplaced;
};

/// A resolved dataset: one version of its file and what that file's footer says.
struct Snapshot {
  ObjectInfo object;
  std::shared_ptr<const Footer> footer;
  std::optional<Retirement> retired;  ///< Of a version that is not the current one.
};

/// A snapshot whose bytes can be read, also after the dataset was replaced or dropped.
struct OpenSnapshot {
  Snapshot snapshot;
  std::shared_ptr<ObjectReader> reader;
};

/// Which datasets a listing gives, in ascending byte order of their names.
struct DatasetFilter {
  std::string prefix;            ///< Names that begin with it.
  std::string glob;              ///< Names that match it (`GlobMatches`); empty: all.
  std::string after;             ///< Names greater than it.
  std::optional<int64_t> limit;  ///< At most so many.
  std::function<bool(const std::string& name)> admits = {};  ///< Empty: all.
};

/// Finds datasets by name: name -> version -> footer. Footers are cached by version, so that a
/// dataset that did not change costs one look at the store. Thread-safe.
class Catalog {
 public:
  /// `footer_cache_bytes` bounds the memory that cached footers take.
  Catalog(std::shared_ptr<ObjectStore> store, std::shared_ptr<Logger> logger,
          int64_t footer_cache_bytes);

  /// The dataset as it is now, or NOT_FOUND; with `version` that one, be it current or retired, and
  /// NOT_FOUND when it is kept no longer. DATA_LOSS when its file is not Parquet.
  arrow::Result<Snapshot> Describe(const DatasetName& name,
                                   const std::optional<std::string>& version);

  /// As Describe, and opens the file.
  arrow::Result<OpenSnapshot> Open(const DatasetName& name,
                                   const std::optional<std::string>& version);

  /// The version that was current at that time, as far as it is kept, else NOT_FOUND.
  arrow::Result<std::string> VersionAt(const DatasetName& name, Timestamp time);

  /// The current version, if any, and all that are retired, the latest first; those that merely
  /// have another name now are left out, as are files that are not Parquet.
  arrow::Result<std::vector<Snapshot>> Versions(const DatasetName& name);

  /// Walks the datasets one by one. Files that are not Parquet are passed over; each is logged
  /// once. Footers that are not known yet are read some at a time, in parallel and a little ahead.
  /// One thread at a time; the catalog and the pool must outlive it.
  class Lister {
   public:
    /// The next dataset, nullopt at the end.
    arrow::Result<std::optional<Snapshot>> Next();

   private:
    friend class Catalog;
    Lister(Catalog* catalog, DatasetFilter filter, std::unique_ptr<ObjectLister> objects,
           WorkerPool* workers)
        : catalog_(catalog),
          filter_(std::move(filter)),
          objects_(std::move(objects)),
          workers_(workers) {}

    bool IsWanted(const std::string& key) const;
    // Fills `batch_` with the next datasets; `end_` says why there are none after them.
    void ReadBatch();

    Catalog* const catalog_;
    const DatasetFilter filter_;
    const std::unique_ptr<ObjectLister> objects_;
    WorkerPool* const workers_;
    // Objects that turned out to be no datasets are empty.
    std::vector<std::optional<Snapshot>> batch_;
    size_t next_ = 0;
    size_t batch_max_ = 1;
    int64_t given_ = 0;
    std::optional<arrow::Status> end_;
  };
  /// `workers` help to read footers; null: none do.
  arrow::Result<std::unique_ptr<Lister>> List(DatasetFilter filter, WorkerPool* workers);

  /// Keeps the footer of a version that was just published.
  void Learn(const ObjectInfo& object, std::shared_ptr<const Footer> footer);

  /// Lets go of the footer of a version that is gone. The cache would fill with those otherwise
  /// where datasets are replaced often.
  void Forget(const std::string& version);

  /// Of the footers that are kept.
  CacheStats footer_stats() { return footers_.stats(); }
  int64_t footer_bytes() { return footers_.charged_bytes(); }
  int64_t footer_capacity_bytes() const { return footers_.capacity_bytes(); }

 private:
  // The name is part of it, as the remembered sentence holds the name.
  static std::string UnservableKey(const ObjectInfo& object);
  /// Why a file is not served, and whether that is for good.
  struct Unservable {
    arrow::Status status;
    bool settled = true;
  };

  // The cached footer, nullptr when it is not known yet, or why the file is not served.
  arrow::Result<std::shared_ptr<const Footer>> FindFooter(const ObjectInfo& object);
  void NoteUnservable(const ObjectInfo& object, const arrow::Status& status);
  arrow::Result<std::shared_ptr<const Footer>> FooterOf(ObjectReader& reader);
  arrow::Result<Snapshot> DescribeObject(const ObjectInfo& object);
  // Whether the footer of the key's current version is to be expected in the cache, so that to open
  // the object without its end is cheaper. Always true where it is not.
  bool MayKnow(const std::string& key, const std::optional<std::string>& version);
  arrow::Result<std::unique_ptr<ObjectReader>> OpenCurrent(
      const std::string& key, const std::optional<std::string>& version);
  arrow::Result<std::unique_ptr<ObjectReader>> OpenVersion(
      const DatasetName& name, const std::optional<std::string>& version);
  arrow::Result<Snapshot> DescribeRetired(const RetiredObject& retired);

  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<Logger> logger_;
  StoredSchemas schemas_;
  ByteCache<Footer> footers_;         // By version.
  ByteCache<std::string> versions_;   // By key: what was there last. Of remote stores.
  ByteCache<Unservable> unservable_;  // By UnservableKey.
};

}  // namespace hangar
