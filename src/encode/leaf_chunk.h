#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "encode/chunk_writer.h"
#include "encode/column_encoder.h"
#include "encode/page_values.h"

namespace hangar {

/// The open chunk of one Parquet column: values go into the open page, levels come when it ends.
/// One thread at a time. May throw what Parquet's encoders throw.
class LeafChunk {
 public:
  /// For a leaf of a type that IsFlat allows.
  static arrow::Result<std::unique_ptr<LeafChunk>> Make(const LeafPlan& plan,
                                                        const arrow::DataType& type,
                                                        arrow::MemoryPool* pool);

  const LeafPlan& plan() const { return plan_; }
  PageValues& values() { return *values_; }

  /// What a page has beside its values.
  struct PageLevels {
    std::span<const uint8_t> encoded;  ///< As the page holds them.
    int64_t count = 0;
    int64_t rows = 0;
    int64_t nulls = 0;  ///< Levels without a value.
    std::vector<int64_t> definition_histogram;
    std::vector<int64_t> repetition_histogram;
  };
  arrow::Status FinishPage(PageLevels levels);

  arrow::Result<EncodedChunk> Finish();

 private:
  LeafChunk(const LeafPlan& plan, std::unique_ptr<PageValues> values,
            std::unique_ptr<arrow::util::Codec> codec, arrow::MemoryPool* pool);

  // Completes what PageValues says of the least and the greatest value.
  void Complete(int64_t nulls, int64_t levels, parquet::EncodedStatistics* statistics) const;

  const LeafPlan plan_;
  const std::unique_ptr<PageValues> values_;
  ChunkWriter chunk_;
  // Of the finished pages of the open chunk.
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
  parquet::SizeStatistics sizes_;
};

}  // namespace hangar
