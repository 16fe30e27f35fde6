#pragma once

#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace arrow {
class DictionaryUnifier;
}  // namespace arrow

namespace hangar::cli {

/// Gives all batches of a stream one growing dictionary for each dictionary column. An Arrow file
/// can hold a dictionary that grows, but not one that is replaced, as batches of a stream may do.
class DictionaryMerger {
 public:
  explicit DictionaryMerger(const arrow::Schema& schema);
  ~DictionaryMerger();

  /// The batch with each dictionary replaced by the one of all batches so far.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Merge(
      const std::shared_ptr<arrow::RecordBatch>& batch);

 private:
  struct Column;

  std::vector<Column> columns_;
};

}  // namespace hangar::cli
