#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "catalog/catalog.h"
#include "catalog/dataset_name.h"
#include "service/dataset_description.h"
#include "store/object_store.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

/// What a check found of one stored file.
struct CheckedDataset {
  std::string name;
  std::string version;
  int64_t rows = 0;  ///< 0 where the footer cannot be read.
  int64_t bytes = 0;
  std::optional<std::string> problem;  ///< A sentence; absent: everything is as it should be.
};

/// Checks stored files one after the other, each read whole: the footer, the checksum of every page
/// that has one, every value's decoding, and the number of rows. Files that are no datasets, as
/// listings leave them out, are reported. One thread at a time.
class DatasetCheck {
 public:
  /// Reads a whole snapshot from the disk, past what is cached.
  using Scan = std::function<arrow::Result<std::shared_ptr<arrow::RecordBatchReader>>(
      OpenSnapshot snapshot)>;

  /// Which files are looked at where there is no name.
  using Admits = std::function<bool(const std::string& key)>;

  /// Of one dataset, or, where there is no name, of all files that `admits` takes. NOT_FOUND when
  /// the one is not there. The store and the catalog must outlive it.
  static arrow::Result<std::unique_ptr<DatasetCheck>> Make(ObjectStore* store, Catalog* catalog,
                                                           Scan scan, Admits admits,
                                                           const std::optional<DatasetName>& name,
                                                           Caller caller);

  /// The next one; nullopt at the end. CANCELLED when the caller is gone.
  arrow::Result<std::optional<CheckedDataset>> Next();

 private:
  DatasetCheck(Catalog* catalog, Scan scan, Admits admits, Caller caller)
      : catalog_(catalog),
        scan_(std::move(scan)),
        admits_(std::move(admits)),
        caller_(std::move(caller)) {}

  // What the object comes to; nullopt when it went away meanwhile.
  arrow::Result<std::optional<CheckedDataset>> Check(const ObjectInfo& object);
  // Counts the rows of a snapshot into `checked` and notes what is wrong with them.
  arrow::Status Read(OpenSnapshot snapshot, CheckedDataset& checked);

  Catalog* const catalog_;
  const Scan scan_;
  const Admits admits_;
  const Caller caller_;
  std::optional<ObjectInfo> one_;
  std::unique_ptr<ObjectLister> all_;
};

}  // namespace hangar
