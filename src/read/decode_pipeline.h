#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "base/worker_pool.h"
#include "read/scan_plan.h"
#include "read/stored_file.h"

namespace hangar {

struct DecodePipelineOptions {
  int64_t read_ahead_bytes = 0;  ///< Decoded and not yet taken; the step that is next always may.
  int column_groups_max = 1;     ///< Parts that the columns are cut into.
};

/// Decodes a plan's slices ahead on a pool of threads and gives them in order.
///
/// The plan's rows are cut into steps, its columns into groups; a task of the pool decodes one
/// group of one step. The groups run independently of each other, so that a slow column (strings)
/// keeps the threads busy with fast ones, and the next row group begins while the last one ends.
/// What is decoded and not taken is bounded in bytes.
///
///   auto pipeline = DecodePipeline::Start(file, plan, options, pool);
///   while (auto batch = pipeline->Next().ValueOrDie()) ...;
///   pipeline->Cancel();
///
/// Next is for one thread at a time; tasks of the pool hold the pipeline and so may outlive its
/// owner by the step they are in.
class DecodePipeline : public std::enable_shared_from_this<DecodePipeline> {
 public:
  /// `pool` must outlive the pipeline's last Next. Its destructor waits for tasks under way.
  static std::shared_ptr<DecodePipeline> Start(std::shared_ptr<StoredFile> file, ScanPlan plan,
                                               const DecodePipelineOptions& options,
                                               WorkerPool* pool);

  /// The next batch of the plan's schema, nullptr at the end. An error ends the batches, at the
  /// latest where it is in the file, and is given again and again; it never looks like the end.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Next() HANGAR_EXCLUDES(mutex_);

  /// Starts no more tasks.
  void Cancel() HANGAR_EXCLUDES(mutex_);

 private:
  /// Some columns, decoded by one task at a time.
  struct ColumnGroup {
    std::vector<int> fields;     // In the file's schema, ascending.
    std::vector<int> positions;  // Of those fields in the plan's schema.
  };

  /// One step's rows, gathered from the groups.
  struct Step {
    size_t slice = 0;
    int64_t skip_rows = 0;  // Before them in the row group, if it is the slice's first step.
    int64_t rows = 0;
    bool first_of_slice = false;
    std::vector<arrow::ArrayVector> columns;  // By position in the plan's schema.
    size_t groups_missing = 0;
    int64_t bytes = 0;
  };

  /// Where a group is: the next step that it decodes.
  struct GroupState {
    size_t next_step = 0;
    bool running = false;
    std::unique_ptr<ColumnGroupDecoder> decoder;  // Of the task that runs, if one does.
  };

  DecodePipeline(std::shared_ptr<StoredFile> file, ScanPlan plan,
                 const DecodePipelineOptions& options, WorkerPool* pool);

  void CutIntoSteps() HANGAR_REQUIRES(mutex_);
  void CutIntoGroups(int groups_max);

  void StartTasks() HANGAR_REQUIRES(mutex_);
  bool MayStart(size_t step) const HANGAR_REQUIRES(mutex_);
  void Run(size_t group, size_t step) HANGAR_EXCLUDES(mutex_);
  arrow::Result<std::vector<arrow::ArrayVector>> Decode(size_t group, size_t step);
  void Put(size_t group, size_t step, arrow::Result<std::vector<arrow::ArrayVector>> columns)
      HANGAR_REQUIRES(mutex_);
  arrow::Status Assemble(Step step);

  const std::shared_ptr<StoredFile> file_;
  const ScanPlan plan_;
  const DecodePipelineOptions options_;
  WorkerPool* const pool_;
  std::vector<ColumnGroup> groups_;  // Constant once started.

  std::deque<std::shared_ptr<arrow::RecordBatch>> assembled_;  // Of the thread that calls Next.

  Mutex mutex_;
  CondVar step_done_;
  std::vector<Step> steps_ HANGAR_GUARDED_BY(mutex_);
  std::vector<GroupState> group_states_ HANGAR_GUARDED_BY(mutex_);
  size_t taken_ HANGAR_GUARDED_BY(mutex_) = 0;  // Steps that Next has taken.
  int running_ HANGAR_GUARDED_BY(mutex_) = 0;
  int64_t buffered_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  arrow::Status error_ HANGAR_GUARDED_BY(mutex_);
  bool cancelled_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
