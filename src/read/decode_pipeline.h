#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "base/mutex.h"
#include "base/worker_pool.h"
#include "read/column_chunk_pass.h"
#include "read/read_ahead_budget.h"
#include "read/scan_plan.h"
#include "read/segment_cache.h"
#include "read/stored_file.h"

namespace hangar {

/// Some consecutive rows of a scan, in one batch.
struct DecodedRows {
  std::shared_ptr<arrow::RecordBatch> batch;
  int64_t bytes = 0;  ///< About what the batch's rows take.
};

/// Gives a plan's rows in order: what is cached at once, the rest decoded ahead by a pool of
/// threads.
///
/// The rows are cut into steps, each within one segment of the file's layout; the columns into
/// groups. A task decodes what is not cached of one group of one step. Tasks of a group in one row
/// group follow one another, others run independently, so that a slow column (strings) keeps the
/// threads busy with fast ones, and the next row group begins while the last one ends. What is held
/// ahead of the caller is bounded in bytes by its share of the budget; the step that is next always
/// may be held. A caller that would have to wait decodes too.
///
///   auto pipeline = DecodePipeline::Start(file, plan, options, cache, pool);
///   while (auto rows = pipeline->Next().ValueOrDie()) ...;
///   pipeline->Cancel();
///
/// Next is for one thread at a time; tasks of the pool hold the pipeline and so may outlive its
/// owner by the step they are in.
class DecodePipeline : public std::enable_shared_from_this<DecodePipeline> {
 public:
  struct Options {
    int column_groups_max = 1;    ///< Parts that the columns are cut into.
    int64_t alone_bytes_max = 0;  ///< A plan of less is decoded by the caller alone.
  };

  /// The last three must outlive the pipeline. The pool's destructor waits for tasks under way.
  static std::shared_ptr<DecodePipeline> Start(std::shared_ptr<StoredFile> file, ScanPlan plan,
                                               const Options& options, SegmentCache* cache,
                                               ReadAheadBudget* read_ahead, WorkerPool* pool);

  /// The next rows in the plan's schema, nullopt at the end. An error takes the place of the rows
  /// that it befell, and is given again and again; it never looks like the end.
  arrow::Result<std::optional<DecodedRows>> Next() HANGAR_EXCLUDES(mutex_);

  /// Starts no more tasks.
  void Cancel() HANGAR_EXCLUDES(mutex_);

 private:
  /// Some columns, decoded by one task at a time; positions are those in the plan's schema.
  using ColumnGroup = std::vector<size_t>;

  enum class GroupState { kMissing, kRunning, kDone };

  /// Rows of one segment, gathered from the cache and the groups.
  struct Step {
    size_t slice = 0;
    int64_t segment = 0;
    int64_t skip_rows = 0;  // Of the segment, before those that are wanted.
    int64_t rows = 0;
    int64_t segment_rows = 0;
    std::vector<std::shared_ptr<const ColumnSegment>> columns;  // By position.
    std::vector<GroupState> groups;
    size_t groups_missing = 0;
    int64_t bytes = 0;  // Of its segments: a guess until they are all here.
    arrow::Status error;
  };

  /// One group in one row group: decodes forwards, one task at a time.
  struct Lane {
    bool running = false;
    std::vector<std::shared_ptr<ColumnChunkPass>> passes;  // As the group's positions.
  };

  /// A task: what is missing of one group in one step.
  struct Task {
    size_t step = 0;  // Counted from the plan's first.
    size_t group = 0;
  };

  DecodePipeline(std::shared_ptr<StoredFile> file, ScanPlan plan, const Options& options,
                 SegmentCache* cache, ReadAheadBudget* read_ahead, WorkerPool* pool);

  void CutIntoGroups();
  int64_t GuessedBytesOfPlan() const;

  // The window: the steps after those that were taken.
  std::optional<Step> CutNextStep() HANGAR_REQUIRES(mutex_);
  void LookUp(Step& step) HANGAR_REQUIRES(mutex_);
  void ExtendWindow() HANGAR_REQUIRES(mutex_);
  Step TakeFirstStep() HANGAR_REQUIRES(mutex_);

  Lane& LaneOf(const Step& step, size_t group) HANGAR_REQUIRES(mutex_);
  std::optional<Task> ChooseTask(size_t steps_max) HANGAR_REQUIRES(mutex_);
  void SubmitTasks() HANGAR_REQUIRES(mutex_);
  void Run(const Task& task) HANGAR_EXCLUDES(mutex_);
  arrow::Status DecodeMissing(int row_group, int64_t segment, const ColumnGroup& group,
                              std::vector<std::shared_ptr<const ColumnSegment>>* columns,
                              std::vector<std::shared_ptr<ColumnChunkPass>>* passes);
  arrow::Status Assemble(const Step& step);

  const std::shared_ptr<StoredFile> file_;
  const ScanPlan plan_;
  const Options options_;
  SegmentCache* const cache_;
  const ReadAheadBudget::Share read_ahead_;
  WorkerPool* const pool_;
  std::vector<ColumnGroup> groups_;  // Constant once started.
  bool alone_ = false;               // So is this.

  std::deque<DecodedRows> assembled_;  // Of the thread that calls Next.

  Mutex mutex_;
  CondVar task_done_;
  std::deque<Step> window_ HANGAR_GUARDED_BY(mutex_);
  size_t taken_ HANGAR_GUARDED_BY(mutex_) = 0;  // Steps before the window's first.
  int64_t window_bytes_ HANGAR_GUARDED_BY(mutex_) = 0;
  size_t next_slice_ HANGAR_GUARDED_BY(mutex_) = 0;  // Where the window ends in the plan.
  int64_t next_row_ HANGAR_GUARDED_BY(mutex_) = 0;   // Of that slice's row group.
  std::map<size_t, std::vector<Lane>> lanes_ HANGAR_GUARDED_BY(mutex_);  // By slice, then by group.
  int submitted_ HANGAR_GUARDED_BY(mutex_) = 0;                          // Tasks in the pool.
  bool failed_ HANGAR_GUARDED_BY(mutex_) = false;
  bool cancelled_ HANGAR_GUARDED_BY(mutex_) = false;
};

}  // namespace hangar
