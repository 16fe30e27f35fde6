#include "read/decode_pipeline.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>

namespace hangar {
namespace {

// Steps of tiny row groups are held ahead only so far: each takes bookkeeping too.
constexpr size_t kStepsAheadMax = 64;

}  // namespace

DecodePipeline::DecodePipeline(std::shared_ptr<StoredFile> file, ScanPlan plan,
                               const Options& options, SegmentCache* cache,
                               ReadAheadBudget* read_ahead, WorkerPool* pool)
    : file_(std::move(file)),
      plan_(std::move(plan)),
      options_(options),
      cache_(cache),
      read_ahead_(read_ahead),
      pool_(pool) {}

std::shared_ptr<DecodePipeline> DecodePipeline::Start(std::shared_ptr<StoredFile> file,
                                                      ScanPlan plan, const Options& options,
                                                      SegmentCache* cache,
                                                      ReadAheadBudget* read_ahead,
                                                      WorkerPool* pool) {
  std::shared_ptr<DecodePipeline> pipeline(
      new DecodePipeline(std::move(file), std::move(plan), options, cache, read_ahead, pool));
  pipeline->CutIntoGroups();
  pipeline->alone_ = pipeline->GuessedBytesOfPlan() <= options.alone_bytes_max;
  MutexLock lock(pipeline->mutex_);
  if (!pipeline->plan_.slices.empty()) pipeline->next_row_ = pipeline->plan_.slices[0].first_row;
  pipeline->ExtendWindow();
  pipeline->SubmitTasks();
  return pipeline;
}

// Columns are dealt out to the groups from the most to the least expensive one, each to the group
// that has the least so far.
void DecodePipeline::CutIntoGroups() {
  const auto row_bytes = [&](size_t position) {
    return file_->layout().row_bytes[static_cast<size_t>(plan_.fields[position])];
  };
  std::vector<size_t> by_cost(plan_.fields.size());
  std::iota(by_cost.begin(), by_cost.end(), size_t{0});
  std::ranges::stable_sort(by_cost, std::greater<>(), row_bytes);
  groups_.resize(std::min(plan_.fields.size(), static_cast<size_t>(options_.column_groups_max)));
  std::vector<int64_t> cost(groups_.size(), 0);
  for (const size_t position : by_cost) {
    const auto least = static_cast<size_t>(std::ranges::min_element(cost) - cost.begin());
    groups_[least].push_back(position);
    cost[least] += row_bytes(position);
  }
}

int64_t DecodePipeline::GuessedBytesOfPlan() const {
  int64_t bytes = 0;
  for (const RowGroupSlice& slice : plan_.slices) {
    for (const int field : plan_.fields) {
      const int64_t row_bytes = file_->layout().row_bytes[static_cast<size_t>(field)];
      if (slice.rows > options_.alone_bytes_max / row_bytes) {
        return std::numeric_limits<int64_t>::max();
      }
      bytes += slice.rows * row_bytes;
    }
    if (bytes > options_.alone_bytes_max) break;
  }
  return bytes;
}

std::optional<DecodePipeline::Step> DecodePipeline::CutNextStep() {
  if (next_slice_ == plan_.slices.size()) return std::nullopt;
  const RowGroupSlice& slice = plan_.slices[next_slice_];
  const int64_t slice_end = slice.first_row + slice.rows;
  Step step;
  step.slice = next_slice_;
  int64_t end = slice_end;
  if (!plan_.fields.empty()) {  // Rows without columns need no cutting.
    const int64_t segment_rows = file_->layout().segment_rows;
    step.segment = next_row_ / segment_rows;
    const int64_t segment_begin = step.segment * segment_rows;
    step.skip_rows = next_row_ - segment_begin;
    step.segment_rows = std::min(segment_rows, file_->RowsOf(slice.row_group) - segment_begin);
    end = std::min(segment_begin + step.segment_rows, slice_end);
  }
  step.rows = end - next_row_;
  next_row_ = end;
  if (end == slice_end && ++next_slice_ < plan_.slices.size()) {
    next_row_ = plan_.slices[next_slice_].first_row;
  }
  return step;
}

void DecodePipeline::LookUp(Step& step) {
  step.columns.resize(plan_.fields.size());
  step.groups.assign(groups_.size(), GroupState::kDone);
  const int row_group = plan_.slices[step.slice].row_group;
  for (size_t group = 0; group < groups_.size(); ++group) {
    for (const size_t position : groups_[group]) {
      const int field = plan_.fields[position];
      auto& column = step.columns[position];
      column = cache_->Find({.chunk = file_->KeyOf(row_group, field), .segment = step.segment});
      if (column == nullptr) step.groups[group] = GroupState::kMissing;
      step.bytes += column != nullptr
                        ? column->bytes
                        : step.segment_rows * file_->layout().row_bytes[static_cast<size_t>(field)];
    }
    if (step.groups[group] == GroupState::kMissing) ++step.groups_missing;
  }
}

void DecodePipeline::ExtendWindow() {
  while (!failed_ && window_.size() < kStepsAheadMax &&
         (window_.empty() || window_bytes_ < read_ahead_.bytes())) {
    auto step = CutNextStep();
    if (!step) return;
    LookUp(*step);
    window_bytes_ += step->bytes;
    window_.push_back(*std::move(step));
  }
}

DecodePipeline::Step DecodePipeline::TakeFirstStep() {
  Step step = std::move(window_.front());
  window_.pop_front();
  ++taken_;
  window_bytes_ -= step.bytes;
  const size_t slices_done = window_.empty() ? next_slice_ : window_.front().slice;
  lanes_.erase(lanes_.begin(), lanes_.lower_bound(slices_done));
  return step;
}

DecodePipeline::Lane& DecodePipeline::LaneOf(const Step& step, size_t group) {
  std::vector<Lane>& lanes = lanes_[step.slice];
  if (lanes.empty()) lanes.resize(groups_.size());
  Lane& lane = lanes[group];
  if (lane.passes.empty()) lane.passes.resize(groups_[group].size());
  return lane;
}

// The earliest step first, among the window's first `steps_max`; none from one that failed on.
std::optional<DecodePipeline::Task> DecodePipeline::ChooseTask(size_t steps_max) {
  if (cancelled_) return std::nullopt;
  for (size_t i = 0; i < std::min(steps_max, window_.size()); ++i) {
    Step& step = window_[i];
    if (!step.error.ok()) return std::nullopt;
    if (step.groups_missing == 0) continue;
    for (size_t group = 0; group < groups_.size(); ++group) {
      if (step.groups[group] != GroupState::kMissing) continue;
      Lane& lane = LaneOf(step, group);
      if (lane.running) continue;
      lane.running = true;
      step.groups[group] = GroupState::kRunning;
      return Task{.step = taken_ + i, .group = group};
    }
  }
  return std::nullopt;
}

void DecodePipeline::SubmitTasks() {
  if (alone_) return;
  while (submitted_ < pool_->threads()) {
    const auto task = ChooseTask(window_.size());
    if (!task) return;
    ++submitted_;
    pool_->Submit([self = shared_from_this(), task = *task] {
      self->Run(task);
      MutexLock lock(self->mutex_);
      --self->submitted_;
      self->SubmitTasks();
    });
  }
}

// A step with a task that runs stays in the window, and its lane's passes are the task's alone.
void DecodePipeline::Run(const Task& task) {
  int row_group = 0;
  int64_t segment = 0;
  std::vector<std::shared_ptr<const ColumnSegment>> columns;
  std::vector<std::shared_ptr<ColumnChunkPass>> passes;
  {
    MutexLock lock(mutex_);
    const Step& step = window_[task.step - taken_];
    row_group = plan_.slices[step.slice].row_group;
    segment = step.segment;
    for (const size_t position : groups_[task.group]) columns.push_back(step.columns[position]);
    passes = std::move(LaneOf(step, task.group).passes);
    if (cancelled_) return;
  }
  auto decoded = DecodeMissing(row_group, segment, groups_[task.group], &columns, &passes);
  MutexLock lock(mutex_);
  Step& step = window_[task.step - taken_];
  Lane& lane = LaneOf(step, task.group);
  lane.running = false;
  lane.passes = std::move(passes);
  step.groups[task.group] = GroupState::kDone;
  --step.groups_missing;
  if (!decoded.ok()) {
    failed_ = true;
    if (step.error.ok()) step.error = std::move(decoded);
  }
  const auto& group = groups_[task.group];
  for (size_t i = 0; i < group.size(); ++i) step.columns[group[i]] = std::move(columns[i]);
  if (step.groups_missing == 0) {
    int64_t bytes = 0;
    for (const auto& column : step.columns) bytes += column != nullptr ? column->bytes : 0;
    window_bytes_ += bytes - step.bytes;
    step.bytes = bytes;
  }
  task_done_.NotifyAll();
}

arrow::Status DecodePipeline::DecodeMissing(
    int row_group, int64_t segment, const ColumnGroup& group,
    std::vector<std::shared_ptr<const ColumnSegment>>* columns,
    std::vector<std::shared_ptr<ColumnChunkPass>>* passes) {
  for (size_t i = 0; i < group.size(); ++i) {
    auto& column = (*columns)[i];
    auto& pass = (*passes)[i];
    const auto join = [&] {
      return cache_->JoinPass(file_, row_group, plan_.fields[group[i]], pass.get());
    };
    if (column == nullptr && pass == nullptr) pass = join();
    while (column == nullptr) {
      ARROW_ASSIGN_OR_RAISE(column, pass->Decode(segment, *cache_));
      // It is ahead of us, and what it decoded has left the cache; or it failed for others.
      if (column == nullptr) pass = join();
    }
  }
  return arrow::Status::OK();
}

arrow::Result<std::optional<DecodedRows>> DecodePipeline::Next() {
  while (assembled_.empty()) {
    std::optional<Task> task;
    std::optional<Step> step;
    size_t slices_done = 0;
    {
      MutexLock lock(mutex_);
      ExtendWindow();
      if (window_.empty()) return std::nullopt;
      if (!window_.front().error.ok()) return window_.front().error;
      if (window_.front().groups_missing == 0) {
        step = TakeFirstStep();
        ExtendWindow();
        SubmitTasks();
        slices_done = window_.empty() ? next_slice_ : window_.front().slice;
      } else if (!(task = ChooseTask(/*steps_max=*/1))) {
        task_done_.Wait(mutex_);
      }
    }
    if (task) Run(*task);
    if (step) ARROW_RETURN_NOT_OK(Assemble(*step));
    file_->PassSlices(slices_done);
  }
  DecodedRows rows = std::move(assembled_.front());
  assembled_.pop_front();
  return rows;
}

// One batch of a step, or several where a column came in chunks (a dictionary that changes).
arrow::Status DecodePipeline::Assemble(const Step& step) {
  const bool whole = step.rows == step.segment_rows;
  const auto bytes_of = [&](int64_t rows) {
    return step.segment_rows == 0
               ? 0
               : static_cast<int64_t>(static_cast<double>(step.bytes) * static_cast<double>(rows) /
                                      static_cast<double>(step.segment_rows));
  };
  arrow::ArrayVector arrays;
  arrays.reserve(step.columns.size());
  for (const auto& column : step.columns) {
    if (column->chunks.size() != 1) break;
    const auto& chunk = column->chunks[0];
    arrays.push_back(whole ? chunk : chunk->Slice(step.skip_rows, step.rows));
  }
  if (arrays.size() == step.columns.size()) {
    assembled_.push_back({arrow::RecordBatch::Make(plan_.schema, step.rows, std::move(arrays)),
                          bytes_of(step.rows)});
    return arrow::Status::OK();
  }
  arrow::ChunkedArrayVector columns;
  for (size_t i = 0; i < step.columns.size(); ++i) {
    const arrow::ChunkedArray whole_column(step.columns[i]->chunks,
                                           plan_.schema->field(static_cast<int>(i))->type());
    columns.push_back(whole_column.Slice(step.skip_rows, step.rows));
  }
  const auto table = arrow::Table::Make(plan_.schema, std::move(columns), step.rows);
  arrow::TableBatchReader batches(*table);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, batches.Next());
    if (batch == nullptr) return arrow::Status::OK();
    const int64_t bytes = bytes_of(batch->num_rows());
    assembled_.push_back({std::move(batch), bytes});
  }
}

void DecodePipeline::Cancel() {
  file_->StopFetching();
  MutexLock lock(mutex_);
  cancelled_ = true;
}

}  // namespace hangar
