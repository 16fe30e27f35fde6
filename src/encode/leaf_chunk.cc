#include "encode/leaf_chunk.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <arrow/util/compression.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

namespace hangar {
namespace {

void AddTo(std::vector<int64_t>* sums, const std::vector<int64_t>& counts) {
  sums->resize(counts.size());
  std::ranges::transform(*sums, counts, sums->begin(), std::plus());
}

}  // namespace

LeafChunk::LeafChunk(const LeafPlan& plan, std::unique_ptr<PageValues> values,
                     std::unique_ptr<arrow::util::Codec> codec, arrow::MemoryPool* pool)
    : plan_(plan), values_(std::move(values)), chunk_(std::move(codec), pool) {}

arrow::Result<std::unique_ptr<LeafChunk>> LeafChunk::Make(const LeafPlan& plan,
                                                          const arrow::DataType& type,
                                                          arrow::MemoryPool* pool) {
  std::unique_ptr<arrow::util::Codec> codec;
  const ColumnCodec& wanted = plan.choice.codec;
  if (wanted.type != arrow::Compression::UNCOMPRESSED) {
    ARROW_ASSIGN_OR_RAISE(codec, arrow::util::Codec::Create(wanted.type, wanted.level));
  }
  return std::unique_ptr<LeafChunk>(
      new LeafChunk(plan, MakePageValues(plan, type, pool), std::move(codec), pool));
}

arrow::Status LeafChunk::FinishPage(PageLevels levels) {
  ARROW_ASSIGN_OR_RAISE(EncodedValues values, values_->FinishPage());
  AddTo(&sizes_.definition_level_histogram, levels.definition_histogram);
  AddTo(&sizes_.repetition_level_histogram, levels.repetition_histogram);
  DataPage page{.levels = levels.encoded,
                .values = std::move(values.bytes),
                .encoding = values.encoding,
                .level_count = levels.count,
                .first_row = rows_,
                .statistics = std::move(values.bounds)};
  page.size_statistics.definition_level_histogram = std::move(levels.definition_histogram);
  page.size_statistics.repetition_level_histogram = std::move(levels.repetition_histogram);
  if (plan_.column->physical_type() == parquet::Type::BYTE_ARRAY) {
    page.size_statistics.unencoded_byte_array_data_bytes = values.string_bytes;
    sizes_.unencoded_byte_array_data_bytes =
        sizes_.unencoded_byte_array_data_bytes.value_or(0) + values.string_bytes;
  }
  Complete(levels.nulls, levels.count, &page.statistics);
  rows_ += levels.rows;
  nulls_ += levels.nulls;
  return chunk_.Add(std::move(page));
}

arrow::Result<EncodedChunk> LeafChunk::Finish() {
  ARROW_ASSIGN_OR_RAISE(PageValues::ChunkEnd end, values_->FinishChunk(&chunk_));
  EncodedChunk chunk = chunk_.Finish();
  chunk.fell_back = end.fell_back;
  chunk.statistics = std::move(end.bounds);
  Complete(std::exchange(nulls_, 0), chunk.values, &chunk.statistics);
  chunk.size_statistics = std::exchange(sizes_, {});
  rows_ = 0;
  return chunk;
}

void LeafChunk::Complete(int64_t nulls, int64_t levels,
                         parquet::EncodedStatistics* statistics) const {
  statistics->set_null_count(nulls);
  statistics->all_null_value = nulls == levels;
  statistics->set_is_signed(plan_.column->sort_order() == parquet::SortOrder::SIGNED);
  statistics->ApplyStatSizeLimits(parquet::DEFAULT_MAX_STATISTICS_SIZE);
}

}  // namespace hangar
