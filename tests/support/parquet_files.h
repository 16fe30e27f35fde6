#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

// For tests: Parquet files in memory, written and read as uploads and downloads do it.

namespace hangar::testing {

/// Rows of a row group: few, so that reads cross their borders.
inline constexpr int64_t kSmallRowGroup = 64;

/// A file of these batches by Arrow's own writer. Without `store_schema` the file's key-value
/// metadata is the schema's, whatever keys it has.
arrow::Result<std::shared_ptr<arrow::Buffer>> WriteParquet(
    const std::shared_ptr<arrow::Schema>& schema, const arrow::RecordBatchVector& batches,
    bool store_schema, int64_t row_group_rows = kSmallRowGroup);

/// As an upload does it: through StorageMapping.
arrow::Result<std::shared_ptr<arrow::Buffer>> Store(const std::shared_ptr<arrow::Schema>& schema,
                                                    const arrow::RecordBatchVector& batches,
                                                    int64_t row_group_rows = kSmallRowGroup);

struct Loaded {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;  ///< Each of them valid in full.
};

/// As a download does it: through ReadableFooter, MakeReadMapping and ToLogicalBatches.
arrow::Result<Loaded> Load(const std::shared_ptr<arrow::Buffer>& file, int64_t read_rows = 50);

/// Each row rendered (random_arrays.h), however the rows are cut into batches.
std::vector<std::string> Rows(const arrow::RecordBatchVector& batches);

}  // namespace hangar::testing
