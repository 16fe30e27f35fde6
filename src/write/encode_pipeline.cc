#include "write/encode_pipeline.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/exception.h>
#include <parquet/schema.h>

#include "base/error.h"
#include "base/memory_budget.h"
#include "base/worker_pool.h"
#include "write/column_strand.h"

namespace hangar {
namespace {

// A step is so large that handing it to the workers costs nothing beside its work.
constexpr int64_t kStepBytes = 1LL << 20;
// From the first step it is chosen how columns are encoded.
constexpr int64_t kFirstStepRows = 64LL << 10;
constexpr int64_t kFirstStepBytes = 16LL << 20;

// What Parquet says when it fails is about its own inside, save where the store failed beneath it.
arrow::Status EncodingFailed(const arrow::Status& status) {
  if (status.ok() || HasErrorKind(status) || status.IsOutOfMemory()) return status;
  return arrow::Status(status.code(), "the upload could not be encoded: " + status.message());
}

// The edge at which what Parquet and the allocator throw becomes a status.
template <typename Work>
arrow::Status Guarded(const Work& work) {
  try {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return work();
    END_PARQUET_CATCH_EXCEPTIONS
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is no memory to encode the upload");
  }
}

}  // namespace

struct EncodePipeline::RowGroup {
  int64_t rows = 0;
  std::vector<std::vector<EncodedChunk>> chunks;  // Of each field.
};

struct EncodePipeline::Step {
  BudgetShare received;  // First, so that it is given back after the columns are gone.
  std::vector<ColumnStep> columns;
  int64_t rows = 0;
  int64_t bytes = 0;
  std::shared_ptr<RowGroup> ends;  // Null: the row group goes on.
  std::atomic<size_t> columns_left = 0;
};

EncodePipeline::EncodePipeline(const WriteSettings& settings, ParquetFile* file)
    : settings_(settings), file_(file) {}

arrow::Result<std::unique_ptr<EncodePipeline>> EncodePipeline::Make(const arrow::Schema& logical,
                                                                    const WriteSettings& settings,
                                                                    ParquetFile* file) {
  const parquet::SchemaDescriptor& columns = file->columns();
  ARROW_ASSIGN_OR_RAISE(const auto leaf_settings, SettingsOfLeaves(settings, columns));
  std::unique_ptr<EncodePipeline> pipeline(new EncodePipeline(settings, file));
  arrow::MemoryPool* pool = settings.pool != nullptr ? settings.pool : arrow::default_memory_pool();
  int leaf = 0;
  for (const auto& field : logical.fields()) {
    std::vector<const parquet::ColumnDescriptor*> leaves;
    std::vector<LeafSettings> field_settings;
    // The Parquet columns that the field becomes stand together, in the order of the fields.
    const parquet::schema::Node* const root = columns.GetColumnRoot(leaf);
    for (; leaf < columns.num_columns() && columns.GetColumnRoot(leaf) == root; ++leaf) {
      leaves.push_back(columns.Column(leaf));
      field_settings.push_back(leaf_settings[static_cast<size_t>(leaf)]);
    }
    ARROW_ASSIGN_OR_RAISE(
        auto strand, ColumnStrand::Make(field, std::move(leaves), std::move(field_settings), pool));
    pipeline->strands_.push_back(std::move(strand));
  }
  MutexLock lock(pipeline->mutex_);
  pipeline->queues_.resize(pipeline->strands_.size());
  return pipeline;
}

EncodePipeline::~EncodePipeline() {
  failed_ = true;
  MutexLock lock(mutex_);
  while (tasks_ > 0) changed_.Wait(mutex_);
}

arrow::Status EncodePipeline::Append(const arrow::RecordBatch& batch, int64_t number,
                                     int64_t bytes) {
  if (gathering_ == nullptr) {
    gathering_ = std::make_shared<Step>();
    gathering_->columns.resize(strands_.size());
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    ColumnStep& column = gathering_->columns[static_cast<size_t>(i)];
    column.arrays.push_back(batch.column(i));
    column.batch_numbers.push_back(number);
  }
  gathering_->rows += batch.num_rows();
  gathering_->bytes += bytes;
  row_group_rows_ += batch.num_rows();
  row_group_bytes_ += bytes;
  const bool is_large_enough =
      is_first_step_ ? gathering_->rows >= kFirstStepRows ||
                           gathering_->bytes >= std::min(kFirstStepBytes, settings_.waiting_bytes)
                     : gathering_->bytes >= kStepBytes;
  return is_large_enough ? Submit(/*is_last=*/false) : arrow::Status::OK();
}

arrow::Status EncodePipeline::EndRowGroup() { return EndRowGroup(/*is_last=*/false); }

arrow::Status EncodePipeline::EndRowGroup(bool is_last) {
  {
    MutexLock lock(mutex_);
    while (status_.ok() && unwritten_row_groups_ > 0) changed_.Wait(mutex_);
    ++unwritten_row_groups_;
  }
  if (gathering_ == nullptr) gathering_ = std::make_shared<Step>();
  gathering_->columns.resize(strands_.size());
  gathering_->ends = std::make_shared<RowGroup>();
  gathering_->ends->rows = std::exchange(row_group_rows_, 0);
  gathering_->ends->chunks.resize(strands_.size());
  ARROW_RETURN_NOT_OK(Submit(is_last));
  row_group_bytes_ = 0;
  return arrow::Status::OK();
}

arrow::Status EncodePipeline::Submit(bool is_last) {
  const std::shared_ptr<Step> step = std::exchange(gathering_, nullptr);
  // A first step that is all there is says how many rows there are.
  const bool is_all = is_last && is_first_step_;
  const int64_t row_bytes = std::max<int64_t>(step->bytes / std::max<int64_t>(step->rows, 1), 1);
  for (ColumnStep& column : step->columns) {
    column.rows = step->rows;
    column.row_group_rows =
        is_all ? step->rows
               : std::min(settings_.row_group_rows, settings_.row_group_bytes / row_bytes + 1);
  }
  is_first_step_ = false;
  step->columns_left = strands_.size();
  {
    MutexLock lock(mutex_);
    while (status_.ok() && (MustWait(step->bytes) || !Charge(*step))) {
      // Nothing of this upload is left to wait for but the row group that the step itself ends.
      if (waiting_bytes_ == 0 && unwritten_row_groups_ == (step->ends != nullptr ? 1 : 0)) {
        return arrow::Status::OutOfMemory("no room for ", step->bytes, " received bytes");
      }
      changed_.Wait(mutex_);
    }
    ARROW_RETURN_NOT_OK(status_);
    waiting_bytes_ += step->bytes;
  }
  for (size_t column = 0; column < strands_.size(); ++column) Schedule(column, step);
  return arrow::Status::OK();
}

// What was received lies in the connection's own memory, which no pool counts.
bool EncodePipeline::Charge(Step& step) const {
  return settings_.budget == nullptr || step.received.TryTake(settings_.budget, step.bytes);
}

// While a row group is not written, the next one may not grow much: then there are two in memory.
bool EncodePipeline::MustWait(int64_t step_bytes) const {
  if (waiting_bytes_ > 0 && waiting_bytes_ + step_bytes > settings_.waiting_bytes) return true;
  const bool is_next_growing = row_group_bytes_ > settings_.row_group_bytes / 4;
  return unwritten_row_groups_ > 0 && row_group_rows_ > 0 && is_next_growing;
}

void EncodePipeline::Schedule(size_t column, std::shared_ptr<Step> step) {
  {
    MutexLock lock(mutex_);
    queues_[column].push_back(std::move(step));
    if (queues_[column].size() > 1) return;
    ++tasks_;
  }
  Start(column);
}

void EncodePipeline::Start(size_t column) {
  if (settings_.workers == nullptr) return RunNext(column);
  settings_.workers->Submit([this, column] { RunNext(column); });
}

void EncodePipeline::RunNext(size_t column) {
  std::shared_ptr<Step> step;
  {
    MutexLock lock(mutex_);
    step = queues_[column].front();
  }
  if (!failed_) {
    const arrow::Status status = EncodingFailed(Run(column, *step));
    MutexLock lock(mutex_);
    if (!status.ok()) Fail(status);
  }
  const bool ends_row_group = step->ends != nullptr;
  if (step->columns_left.fetch_sub(1) == 1) Complete(*step);
  step.reset();
  bool has_more = false;
  {
    MutexLock lock(mutex_);
    queues_[column].pop_front();
    has_more = !queues_[column].empty();
  }
  if (ends_row_group) WriteRowGroups();
  if (has_more) Start(column);
  if (has_more) return;
  // The last look at this object: once there are no tasks it may go.
  MutexLock lock(mutex_);
  --tasks_;
  changed_.NotifyAll();
}

arrow::Status EncodePipeline::Run(size_t column, Step& step) {
  return Guarded([&]() -> arrow::Status {
    ColumnStrand& strand = *strands_[column];
    const ColumnStep work = std::exchange(step.columns[column], {});
    if (!work.arrays.empty()) ARROW_RETURN_NOT_OK(strand.Append(work));
    if (step.ends == nullptr) return arrow::Status::OK();
    return strand.EndRowGroup().Value(&step.ends->chunks[column]);
  });
}

void EncodePipeline::Complete(Step& step) {
  MutexLock lock(mutex_);
  waiting_bytes_ -= step.bytes;
  // Columns end row groups in order, so that these come in order too.
  if (step.ends != nullptr) encoded_.push_back(std::move(step.ends));
  changed_.NotifyAll();
}

void EncodePipeline::WriteRowGroups() {
  while (true) {
    std::shared_ptr<RowGroup> row_group;
    {
      MutexLock lock(mutex_);
      if (is_writing_ || encoded_.empty()) return;
      is_writing_ = true;
      row_group = std::move(encoded_.front());
      encoded_.pop_front();
    }
    arrow::Status status;
    if (!failed_) {
      std::vector<EncodedChunk> chunks;
      for (auto& field : row_group->chunks) {
        std::ranges::move(field, std::back_inserter(chunks));
      }
      status = Guarded([&] { return file_->AppendRowGroup(row_group->rows, std::move(chunks)); });
    }
    MutexLock lock(mutex_);
    is_writing_ = false;
    --unwritten_row_groups_;
    if (!status.ok()) Fail(status);
    changed_.NotifyAll();
  }
}

void EncodePipeline::Fail(const arrow::Status& status) {
  failed_ = true;
  if (status_.ok()) status_ = status;
}

arrow::Result<std::vector<ColumnCodec>> EncodePipeline::Finish() {
  if (row_group_rows_ > 0) ARROW_RETURN_NOT_OK(EndRowGroup(/*is_last=*/true));
  {
    MutexLock lock(mutex_);
    while (tasks_ > 0) changed_.Wait(mutex_);
    ARROW_RETURN_NOT_OK(status_);
  }
  std::vector<ColumnCodec> codecs;
  for (const auto& strand : strands_)
    std::ranges::copy(strand->codecs(), std::back_inserter(codecs));
  return codecs;
}

}  // namespace hangar
