#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "encode/encoded_chunk.h"
#include "encode/encoding_choice.h"
#include "write/parquet_file.h"
#include "write/write_settings.h"

namespace hangar {

class ColumnStrand;

/// Checks and encodes the columns of a table side by side, on the settings' workers, and writes
/// each row group to the file once all its columns are done, while the next one begins. What waits
/// to be encoded is bounded in bytes: who appends waits. The first error ends the work; it comes
/// out of the next call. One thread at a time appends; the destructor waits for the tasks that run.
class EncodePipeline {
 public:
  /// `file` must outlive the pipeline and is its own until Finish returns. Fails as
  /// SettingsOfLeaves says.
  static arrow::Result<std::unique_ptr<EncodePipeline>> Make(const arrow::Schema& logical,
                                                             const WriteSettings& settings,
                                                             ParquetFile* file);
  ~EncodePipeline();

  /// Adds rows of the open row group: the batch `number` of the upload or a slice of it, in the
  /// logical schema and valid in the sense of RecordBatch::Validate, which takes `bytes`. Its
  /// values are checked in full here: INVALID_ARGUMENT for those that do not fit their types.
  arrow::Status Append(const arrow::RecordBatch& batch, int64_t number, int64_t bytes);

  /// Ends the row group, which holds a row at least. Waits until the one before it is written.
  arrow::Status EndRowGroup();

  /// Ends the last row group, if there is one open, and waits until all are written. Gives what
  /// each Parquet column is compressed with.
  arrow::Result<std::vector<ColumnCodec>> Finish();

 private:
  struct Step;
  struct RowGroup;

  EncodePipeline(const WriteSettings& settings, ParquetFile* file);

  arrow::Status EndRowGroup(bool is_last);
  arrow::Status Submit(bool is_last);
  bool MustWait(int64_t step_bytes) const HANGAR_REQUIRES(mutex_);
  bool Charge(Step& step) const;
  void Schedule(size_t column, std::shared_ptr<Step> step) HANGAR_EXCLUDES(mutex_);
  void Start(size_t column) HANGAR_EXCLUDES(mutex_);
  void RunNext(size_t column) HANGAR_EXCLUDES(mutex_);
  arrow::Status Run(size_t column, Step& step);
  void Complete(Step& step) HANGAR_EXCLUDES(mutex_);
  void WriteRowGroups() HANGAR_EXCLUDES(mutex_);
  void Fail(const arrow::Status& status) HANGAR_REQUIRES(mutex_);

  const WriteSettings settings_;
  ParquetFile* const file_;
  std::vector<std::unique_ptr<ColumnStrand>> strands_;

  // Of the thread that appends.
  std::shared_ptr<Step> gathering_;
  int64_t row_group_rows_ = 0;   // Of the open one.
  int64_t row_group_bytes_ = 0;  // Likewise, in Arrow.
  bool is_first_step_ = true;

  std::atomic<bool> failed_ = false;
  Mutex mutex_;
  CondVar changed_;
  arrow::Status status_ HANGAR_GUARDED_BY(mutex_);
  std::vector<std::deque<std::shared_ptr<Step>>> queues_ HANGAR_GUARDED_BY(mutex_);
  int64_t waiting_bytes_ HANGAR_GUARDED_BY(mutex_) =
      0;                                         // Of steps that not all columns are done with.
  int64_t tasks_ HANGAR_GUARDED_BY(mutex_) = 0;  // Submitted and not ended.
  int64_t unwritten_row_groups_ HANGAR_GUARDED_BY(mutex_) = 0;  // Ended, not in the file.
  std::deque<std::shared_ptr<RowGroup>> encoded_ HANGAR_GUARDED_BY(mutex_);
  bool is_writing_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
