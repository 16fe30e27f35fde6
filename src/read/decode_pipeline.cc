#include "read/decode_pipeline.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

namespace hangar {
namespace {

int64_t BytesOf(const std::vector<arrow::ArrayVector>& columns) {
  int64_t bytes = 0;
  for (const arrow::ArrayVector& chunks : columns) {
    for (const auto& chunk : chunks) bytes += arrow::util::TotalBufferSize(*chunk);
  }
  return bytes;
}

}  // namespace

DecodePipeline::DecodePipeline(std::shared_ptr<StoredFile> file, ScanPlan plan,
                               const DecodePipelineOptions& options, WorkerPool* pool)
    : file_(std::move(file)), plan_(std::move(plan)), options_(options), pool_(pool) {}

std::shared_ptr<DecodePipeline> DecodePipeline::Start(std::shared_ptr<StoredFile> file,
                                                      ScanPlan plan,
                                                      const DecodePipelineOptions& options,
                                                      WorkerPool* pool) {
  std::shared_ptr<DecodePipeline> pipeline(
      new DecodePipeline(std::move(file), std::move(plan), options, pool));
  pipeline->CutIntoGroups(options.column_groups_max);
  MutexLock lock(pipeline->mutex_);
  pipeline->CutIntoSteps();
  pipeline->group_states_.resize(pipeline->groups_.size());
  pipeline->StartTasks();
  return pipeline;
}

// Columns are dealt out to the groups from the most to the least expensive one, each to the group
// that has the least so far.
void DecodePipeline::CutIntoGroups(int groups_max) {
  const std::vector<int64_t>& row_bytes = file_->row_bytes();
  std::vector<int> by_cost(plan_.fields.size());
  std::iota(by_cost.begin(), by_cost.end(), 0);
  std::ranges::stable_sort(by_cost, std::greater<>(),
                           [&](int position) { return row_bytes[static_cast<size_t>(position)]; });
  const size_t count = std::min(plan_.fields.size(), static_cast<size_t>(groups_max));
  std::vector<std::vector<int>> positions(count);
  std::vector<int64_t> cost(count, 0);
  for (const int position : by_cost) {
    const auto least = static_cast<size_t>(std::ranges::min_element(cost) - cost.begin());
    positions[least].push_back(position);
    cost[least] += row_bytes[static_cast<size_t>(position)];
  }
  for (auto& positions_of_group : positions) {
    // The decoder gives a group's fields in the file's order.
    std::ranges::sort(positions_of_group, {},
                      [&](int position) { return plan_.fields[static_cast<size_t>(position)]; });
    ColumnGroup group{.fields = {}, .positions = std::move(positions_of_group)};
    for (const int position : group.positions) {
      group.fields.push_back(plan_.fields[static_cast<size_t>(position)]);
    }
    groups_.push_back(std::move(group));
  }
}

// Steps end at multiples of step_rows in their row group, as the decoders' batches do.
void DecodePipeline::CutIntoSteps() {
  const int64_t step_rows = file_->step_rows();
  for (size_t slice = 0; slice < plan_.slices.size(); ++slice) {
    const int64_t begin = plan_.slices[slice].first_row;
    const int64_t end = begin + plan_.slices[slice].rows;
    for (int64_t row = begin; row < end;) {
      const int64_t boundary = row - row % step_rows + step_rows;
      const int64_t rows = std::min(boundary, end) - row;
      steps_.push_back({.slice = slice,
                        .skip_rows = row == begin ? begin : 0,
                        .rows = rows,
                        .first_of_slice = row == begin,
                        .columns = {},
                        .groups_missing = groups_.size()});
      row += rows;
    }
  }
}

bool DecodePipeline::MayStart(size_t step) const {
  return step < steps_.size() && (step == taken_ || buffered_bytes_ < options_.read_ahead_bytes);
}

// Keeps the pool's threads busy with this scan's tasks, the earliest steps first.
void DecodePipeline::StartTasks() {
  while (!cancelled_ && error_.ok() && running_ < pool_->threads()) {
    size_t next = groups_.size();
    for (size_t group = 0; group < groups_.size(); ++group) {
      const GroupState& state = group_states_[group];
      if (state.running || !MayStart(state.next_step)) continue;
      if (next == groups_.size() || state.next_step < group_states_[next].next_step) next = group;
    }
    if (next == groups_.size()) return;
    group_states_[next].running = true;
    ++running_;
    const size_t step = group_states_[next].next_step++;
    pool_->Submit([self = shared_from_this(), next, step] { self->Run(next, step); });
  }
}

void DecodePipeline::Run(size_t group, size_t step) {
  {
    MutexLock lock(mutex_);
    if (cancelled_) return;
  }
  auto columns = Decode(group, step);
  MutexLock lock(mutex_);
  group_states_[group].running = false;
  --running_;
  Put(group, step, std::move(columns));
  StartTasks();
}

// The decoder is this task's alone as long as the group is marked as running.
arrow::Result<std::vector<arrow::ArrayVector>> DecodePipeline::Decode(size_t group, size_t step) {
  std::unique_ptr<ColumnGroupDecoder> decoder;
  RowGroupSlice slice;
  bool first_of_slice = false;
  int64_t skip_rows = 0;
  int64_t rows = 0;
  {
    MutexLock lock(mutex_);
    decoder = std::move(group_states_[group].decoder);
    slice = plan_.slices[steps_[step].slice];
    first_of_slice = steps_[step].first_of_slice;
    skip_rows = steps_[step].skip_rows;
    rows = steps_[step].rows;
  }
  if (first_of_slice) {
    decoder.reset();  // The last row group's memory goes before the next one is opened.
    ARROW_ASSIGN_OR_RAISE(decoder, file_->OpenRowGroup(slice.row_group, groups_[group].fields));
    ARROW_RETURN_NOT_OK(decoder->Skip(skip_rows));
  }
  ARROW_ASSIGN_OR_RAISE(auto columns, decoder->Decode(rows));
  MutexLock lock(mutex_);
  group_states_[group].decoder = std::move(decoder);
  return columns;
}

void DecodePipeline::Put(size_t group, size_t step,
                         arrow::Result<std::vector<arrow::ArrayVector>> columns) {
  if (!columns.ok()) {
    if (error_.ok()) error_ = columns.status();
    step_done_.NotifyAll();
    return;
  }
  Step& target = steps_[step];
  target.columns.resize(plan_.fields.size());
  const int64_t bytes = BytesOf(*columns);
  for (size_t i = 0; i < columns->size(); ++i) {
    target.columns[static_cast<size_t>(groups_[group].positions[i])] = std::move((*columns)[i]);
  }
  target.bytes += bytes;
  buffered_bytes_ += bytes;
  if (--target.groups_missing == 0) step_done_.NotifyAll();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> DecodePipeline::Next() {
  while (assembled_.empty()) {
    Step step;
    {
      MutexLock lock(mutex_);
      if (taken_ == steps_.size()) return nullptr;
      while (steps_[taken_].groups_missing > 0 && error_.ok()) step_done_.Wait(mutex_);
      if (steps_[taken_].groups_missing > 0) return error_;
      step = std::move(steps_[taken_++]);
      buffered_bytes_ -= step.bytes;
      StartTasks();
    }
    ARROW_RETURN_NOT_OK(Assemble(std::move(step)));
  }
  auto batch = std::move(assembled_.front());
  assembled_.pop_front();
  return batch;
}

// One batch of a step, or several where a column came in chunks (a dictionary that changes).
arrow::Status DecodePipeline::Assemble(Step step) {
  arrow::ChunkedArrayVector columns;
  for (size_t i = 0; i < step.columns.size(); ++i) {
    columns.push_back(std::make_shared<arrow::ChunkedArray>(
        std::move(step.columns[i]), plan_.schema->field(static_cast<int>(i))->type()));
  }
  const auto table = arrow::Table::Make(plan_.schema, std::move(columns), step.rows);
  if (table->num_columns() == 0) {
    assembled_.push_back(arrow::RecordBatch::Make(plan_.schema, step.rows, arrow::ArrayVector{}));
    return arrow::Status::OK();
  }
  arrow::TableBatchReader batches(*table);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, batches.Next());
    if (batch == nullptr) return arrow::Status::OK();
    assembled_.push_back(std::move(batch));
  }
}

void DecodePipeline::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
}

}  // namespace hangar
