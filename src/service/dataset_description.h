#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/clock.h"

namespace hangar {

struct Snapshot;

/// Who asks for a use case, and whether they still wait for it.
struct Caller {
  std::string peer;                    ///< The network address, for the log.
  std::function<bool()> is_cancelled;  ///< Empty: never.

  bool IsGone() const { return is_cancelled && is_cancelled(); }
};

/// CANCELLED: what a use case ends with whose caller is gone.
arrow::Status CallerIsGone();

/// What a door says of one dataset.
struct DatasetDescription {
  std::string name;
  std::string version;
  Timestamp modified{};
  int64_t rows = 0;
  int64_t bytes = 0;  ///< At rest.
  int row_groups = 0;
  std::shared_ptr<arrow::Schema> schema;
  std::shared_ptr<const std::string> ipc_schema;  ///< `schema` as an encapsulated IPC message.
  std::optional<Timestamp> retired;  ///< When it ceased to be current; absent: it is current.
  bool dropped = false;              ///< Of a retired one: dropped, and not replaced.
};

DatasetDescription DescriptionOf(const Snapshot& snapshot);

/// Datasets one after the other. One thread at a time.
class DatasetLister {
 public:
  virtual ~DatasetLister() = default;
  /// nullopt at the end.
  virtual arrow::Result<std::optional<DatasetDescription>> Next() = 0;
};

}  // namespace hangar
