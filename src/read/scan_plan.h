#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "catalog/footer.h"

namespace hangar {

/// What of a snapshot is asked for.
struct ScanRequest {
  /// Names of top-level columns, in the order wanted; absent: all, in the file's order.
  std::optional<std::vector<std::string>> columns;
  /// True for columns that are to be as if they were not there; empty: none.
  std::function<bool(std::string_view column)> hides = {};
  int64_t offset_rows = 0;            ///< Rows passed over; more than there are gives none.
  std::optional<int64_t> limit_rows;  ///< At most so many rows; absent: all.
};

/// A run of rows inside one row group.
struct RowGroupSlice {
  int row_group = 0;
  int64_t first_row = 0;  ///< Counted from the row group's first row.
  int64_t rows = 0;
};

/// What a scan reads: pure arithmetic on a footer, nothing is read for it.
struct ScanPlan {
  std::shared_ptr<arrow::Schema> schema;  ///< Of the batches that come out.
  std::vector<int> fields;                ///< Indices of top-level fields in the file's schema.
  std::vector<RowGroupSlice> slices;      ///< In row order; none is empty.
  int64_t rows = 0;                       ///< The sum over the slices.
};

/// The fields of `schema` that are not hidden, without the schema's own metadata where one is: that
/// may speak of any column (as pandas' does). The schema itself when none is hidden.
std::shared_ptr<arrow::Schema> VisibleSchema(
    const std::shared_ptr<arrow::Schema>& schema,
    const std::function<bool(std::string_view column)>& hides);

/// INVALID_ARGUMENT for a column that is not there, asked for twice or of an ambiguous name, and
/// for negative numbers of rows.
arrow::Result<ScanPlan> PlanScan(const Footer& footer, const ScanRequest& request);

/// A part of a scan that can be read on its own.
struct ScanPartition {
  int64_t offset_rows = 0;  ///< In the snapshot's rows.
  int64_t rows = 0;
  int64_t bytes = 0;  ///< About how many stored bytes it holds, all columns counted.
  int row_groups = 0;
  int first_row_group = 0;
};

/// Cuts a plan's rows into up to `partitions_max` (at least 1) consecutive parts along row groups,
/// about equal in rows. The parts cover all rows in order; at least one part comes back, which is
/// empty for an empty scan.
std::vector<ScanPartition> Partition(const Footer& footer, const ScanPlan& plan,
                                     int64_t partitions_max);

}  // namespace hangar
