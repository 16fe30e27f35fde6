#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <parquet/schema.h>

#include "encode/column_encoder.h"
#include "encode/hybrid_encoding.h"
#include "encode/leaf_chunk.h"
#include "encode/page_values.h"

namespace hangar {
namespace {

// A level's number of bits, as there is one level: the value is there or not.
constexpr int kLevelBits = 1;

// Which rows of the open page hold a value.
class PageValidity {
 public:
  void Append(const uint8_t* bits, int64_t offset, int64_t rows, int64_t nulls) {
    if (nulls > 0 || nulls_ > 0) {
      if (nulls_ == 0) bits_.assign(static_cast<size_t>((rows_ + 7) / 8), 0xFF);
      bits_.resize(static_cast<size_t>((rows_ + rows + 7) / 8));
      if (bits != nullptr) {
        arrow::internal::CopyBitmap(bits, offset, rows, bits_.data(), rows_);
      } else {
        arrow::bit_util::SetBitsTo(bits_.data(), rows_, rows, true);
      }
    }
    rows_ += rows;
    nulls_ += nulls;
  }

  int64_t rows() const { return rows_; }
  int64_t nulls() const { return nulls_; }

  /// As a page holds them: the length in four bytes, then the levels.
  const std::vector<uint8_t>& Encode() {
    levels_.assign(sizeof(uint32_t), 0);
    if (nulls_ == 0 || nulls_ == rows_) {
      AppendHybridRun(nulls_ == 0 ? 1 : 0, rows_, kLevelBits, &levels_);
    } else {
      if (rows_ % 8 != 0) bits_.back() &= static_cast<uint8_t>((1 << (rows_ % 8)) - 1);
      AppendHybridBits(bits_.data(), rows_, &levels_);
    }
    const auto length = static_cast<uint32_t>(levels_.size() - sizeof(uint32_t));
    std::memcpy(levels_.data(), &length, sizeof(length));
    return levels_;
  }

  void Clear() { rows_ = nulls_ = 0; }

 private:
  int64_t rows_ = 0;
  int64_t nulls_ = 0;
  std::vector<uint8_t> bits_;  // Only when there are nulls.
  std::vector<uint8_t> levels_;
};

class FlatColumnEncoder final : public ColumnEncoder {
 public:
  explicit FlatColumnEncoder(std::unique_ptr<LeafChunk> chunk)
      : is_optional_(chunk->plan().column->max_definition_level() > 0), chunk_(std::move(chunk)) {}

  arrow::Status Append(const std::shared_ptr<arrow::Array>& stored) override {
    const arrow::ArrayData& array = *stored->data();
    PageValues& values = chunk_->values();
    const bool has_nulls = stored->null_count() > 0;
    if (has_nulls && !is_optional_) {
      return arrow::Status::Invalid("nulls in a field that is declared not to have any");
    }
    if (page_rows_ == 0) page_rows_ = PageRows(chunk_->plan().page_bytes, values.RowBytes(array));
    const uint8_t* validity = has_nulls ? array.buffers[0]->data() : nullptr;
    for (int64_t row = 0; row < array.length;) {
      const int64_t rows = values.RowsThatFit(
          array, row, std::min(page_rows_ - validity_.rows(), array.length - row));
      const int64_t nulls =
          has_nulls ? rows - arrow::internal::CountSetBits(validity, array.offset + row, rows) : 0;
      validity_.Append(validity, array.offset + row, rows, nulls);
      ARROW_RETURN_NOT_OK(values.Append(array, row, rows, nulls));
      row += rows;
      if (validity_.rows() == page_rows_ || values.IsFull()) ARROW_RETURN_NOT_OK(FinishPage());
    }
    return arrow::Status::OK();
  }

  arrow::Result<std::vector<EncodedChunk>> FinishRowGroup() override {
    if (validity_.rows() > 0) ARROW_RETURN_NOT_OK(FinishPage());
    std::vector<EncodedChunk> chunks(1);
    ARROW_ASSIGN_OR_RAISE(chunks.front(), chunk_->Finish());
    return chunks;
  }

 private:
  arrow::Status FinishPage() {
    const int64_t rows = validity_.rows();
    const int64_t nulls = validity_.nulls();
    LeafChunk::PageLevels levels{.count = rows, .rows = rows, .nulls = nulls};
    if (is_optional_) {
      levels.encoded = validity_.Encode();
      levels.definition_histogram = {nulls, rows - nulls};
    }
    validity_.Clear();
    return chunk_->FinishPage(std::move(levels));
  }

  const bool is_optional_;
  const std::unique_ptr<LeafChunk> chunk_;
  PageValidity validity_;
  int64_t page_rows_ = 0;  // Of every page; 0 until the first values were seen.
};

}  // namespace

arrow::Result<std::unique_ptr<ColumnEncoder>> MakeFlatColumnEncoder(
    const LeafPlan& plan, const std::shared_ptr<arrow::Field>& field, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto chunk, LeafChunk::Make(plan, *field->type(), pool));
  return std::make_unique<FlatColumnEncoder>(std::move(chunk));
}

}  // namespace hangar
