#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>

#include "history/history_keeper.h"
#include "service/dataset_description.h"

namespace hangar {

class AccessGate;
class Catalog;
class DatasetName;
class ObjectStore;
struct ListRequest;

/// The use cases that go back in time: what was replaced or dropped is listed, brought back, and
/// removed for good. As DatasetService, which owns it. Thread-safe.
class VersionHistory {
 public:
  VersionHistory(std::shared_ptr<ObjectStore> store, Catalog* catalog, HistoryKeeper* keeper,
                 const AccessGate* gate)
      : store_(std::move(store)), catalog_(catalog), keeper_(keeper), gate_(gate) {}

  /// The current version, if there is one, and those that are kept, the latest first. NOT_FOUND
  /// when there is none of either.
  arrow::Result<std::vector<DatasetDescription>> Versions(const Caller& caller,
                                                          const std::string& dataset);

  struct RestoreRequest {
    std::string dataset;
    std::optional<std::string> version;     ///< Either this ...
    std::optional<Timestamp> as_of;         ///< ... or the version that was current then.
    std::optional<std::string> if_version;  ///< FAILED_PRECONDITION unless this is the current one.
  };
  struct Restored {
    std::string dataset;
    std::string version;
  };
  /// Makes a past version the current one; the current one becomes a past one.
  arrow::Result<Restored> Restore(const Caller& caller, const RestoreRequest& request);

  /// Brings back what was dropped last. ALREADY_EXISTS when there is a dataset of that name.
  arrow::Result<Restored> Undrop(const Caller& caller, const std::string& dataset);

  /// The datasets that are not there any more and can be brought back, each as it was when it was
  /// dropped. The lister must not outlive the service.
  arrow::Result<std::unique_ptr<DatasetLister>> Trash(const Caller& caller,
                                                      const ListRequest& request);

  /// Removes the past versions of a name, or one of them, also those that tickets name. NOT_FOUND
  /// when there are none.
  arrow::Result<HistoryTotals> Purge(const Caller& caller, const std::string& dataset,
                                     const std::optional<std::string>& version);

  struct Status {
    HistoryTotals totals;
    RetentionPolicy policy;
  };
  arrow::Result<Status> Describe(const Caller& caller);

 private:
  arrow::Result<HistoryTotals> PurgeAll(const DatasetName& name,
                                        const std::optional<std::string>& version);

  const std::shared_ptr<ObjectStore> store_;
  Catalog* const catalog_;
  HistoryKeeper* const keeper_;
  const AccessGate* const gate_;
};

}  // namespace hangar
