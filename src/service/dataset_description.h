#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "access/policy.h"
#include "base/clock.h"
#include "service/caller.h"

namespace hangar {

struct Snapshot;

/// What a door says of one dataset.
struct DatasetDescription {
  std::string name;
  std::string version;
  Timestamp modified{};
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
  int row_groups = 0;
  std::shared_ptr<arrow::Schema> schema;
  /// `schema` as an encapsulated IPC message, where that is at hand.
  std::shared_ptr<const std::string> ipc_schema;
  std::optional<Timestamp> retired;  ///< When it ceased to be current; absent: it is current.
  bool dropped = false;              ///< Of a retired one: dropped, and not replaced.
};

/// `hidden` columns are left out of its schema.
DatasetDescription DescriptionOf(const Snapshot& snapshot, const HiddenColumns& hidden = {});

/// Datasets one after the other. One thread at a time.
class DatasetLister {
 public:
  virtual ~DatasetLister() = default;
  /// nullopt at the end.
  virtual arrow::Result<std::optional<DatasetDescription>> Next() = 0;
};

}  // namespace hangar
