#include "decode/fixed_values.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "decode/dictionary_indices.h"
#include "decode/fixed_reader.h"
#include "decode/validity_words.h"

namespace hangar {
namespace {

// As SpreadValues, for values of any width.
void SpreadWideValues(const PageRows& rows, int64_t width, uint8_t* out) {
  const uint8_t* next = out + (rows.rows - rows.present) * width;
  for (int64_t row = 0; row < rows.rows; row += 64) {
    const uint64_t word = ValidityWord(rows, row);
    const int64_t count = std::min<int64_t>(rows.rows - row, 64);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* const to = out + (row + i) * width;
      if ((word >> i & 1) != 0) {
        std::memmove(to, next, static_cast<size_t>(width));
        next += width;
      } else {
        std::memset(to, 0, static_cast<size_t>(width));
      }
    }
  }
}

class FixedValues final : public ColumnValues {
 public:
  FixedValues(const FixedWidth& width, arrow::MemoryPool* pool)
      : width_(width), pool_(pool), indices_(pool) {}

  arrow::Status SetDictionary(int64_t count, const uint8_t* data, int64_t size) override {
    if (count < 0 || count > size / width_.stored) {
      return arrow::Status::IOError("a dictionary holds fewer values than it says");
    }
    ARROW_ASSIGN_OR_RAISE(auto values, arrow::AllocateBuffer(count * width_.stored, pool_));
    if (count > 0) std::memcpy(values->mutable_data(), data, static_cast<size_t>(values->size()));
    dictionary_ = std::make_unique<FixedDictionary>(
        FixedDictionary{.count = count, .values = std::move(values)});
    return arrow::Status::OK();
  }

  arrow::Status SetPage(const PageValues& page) override {
    ARROW_ASSIGN_OR_RAISE(
        page_, OpenFixedPage(page, width_.physical, width_.stored, dictionary_.get(), &indices_));
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t values) override { return page_->Skip(values); }

  arrow::Status Begin(int64_t rows) override {
    rows_ = 0;
    ARROW_ASSIGN_OR_RAISE(values_, arrow::AllocateResizableBuffer(rows * width_.decoded, pool_));
    return arrow::Status::OK();
  }

  arrow::Status Grow(int64_t rows) override {
    return values_->Resize(rows * width_.decoded, /*shrink_to_fit=*/false);
  }

  arrow::Status Append(const PageRows& rows) override {
    uint8_t* const out = values_->mutable_data() + rows_ * width_.decoded;
    const int64_t nulls = rows.rows - rows.present;
    ARROW_RETURN_NOT_OK(ReadDecoded(rows.present, out + nulls * width_.decoded));
    if (nulls > 0) Spread(rows, out);
    rows_ += rows.rows;
    return arrow::Status::OK();
  }

  arrow::Result<std::vector<ValueBuffers>> Finish() override {
    ARROW_RETURN_NOT_OK(values_->Resize(rows_ * width_.decoded));
    values_->ZeroPadding();
    return std::vector<ValueBuffers>{{.rows = rows_, .buffers = {std::move(values_)}}};
  }

 private:
  arrow::Status ReadDecoded(int64_t count, uint8_t* out) {
    if (width_.decoded == width_.stored) return page_->Read(count, out);
    constexpr int64_t kBatch = DictionaryIndices::kBatch;
    uint32_t stored[kBatch];
    for (; count > 0; count -= kBatch) {
      const int64_t batch = std::min(count, kBatch);
      ARROW_RETURN_NOT_OK(page_->Read(batch, reinterpret_cast<uint8_t*>(stored)));
      if (width_.decoded == 1) {
        for (int64_t i = 0; i < batch; ++i) out[i] = static_cast<uint8_t>(stored[i]);
      } else {
        auto* const halves = reinterpret_cast<uint16_t*>(out);
        for (int64_t i = 0; i < batch; ++i) halves[i] = static_cast<uint16_t>(stored[i]);
      }
      out += batch * width_.decoded;
    }
    return arrow::Status::OK();
  }

  void Spread(const PageRows& rows, uint8_t* out) const {
    switch (width_.decoded) {
      case 1:
        return SpreadValues(rows, out);
      case 2:
        return SpreadValues(rows, reinterpret_cast<uint16_t*>(out));
      case 4:
        return SpreadValues(rows, reinterpret_cast<uint32_t*>(out));
      case 8:
        return SpreadValues(rows, reinterpret_cast<uint64_t*>(out));
      default:
        return SpreadWideValues(rows, width_.decoded, out);
    }
  }

  const FixedWidth width_;
  arrow::MemoryPool* const pool_;
  DictionaryIndices indices_;
  std::unique_ptr<FixedDictionary> dictionary_;
  std::unique_ptr<FixedReader> page_;

  // The array that is being filled.
  std::shared_ptr<arrow::ResizableBuffer> values_;
  int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<ColumnValues> MakeFixedValues(const FixedWidth& width, arrow::MemoryPool* pool) {
  return std::make_unique<FixedValues>(width, pool);
}

}  // namespace hangar
