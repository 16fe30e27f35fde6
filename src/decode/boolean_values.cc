#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include "decode/bit_run_reader.h"
#include "decode/bit_words.h"
#include "decode/fixed_values.h"
#include "decode/validity_words.h"

namespace hangar {
namespace {

class BooleanValues final : public ColumnValues {
 public:
  explicit BooleanValues(arrow::MemoryPool* pool) : pool_(pool) {}

  arrow::Status SetDictionary(int64_t, const uint8_t*, int64_t) override {
    return arrow::Status::IOError("a dictionary of booleans");
  }

  arrow::Status SetPage(const PageValues& page) override {
    if (page.encoding == parquet::Encoding::PLAIN) {
      page_ = BitRunReader::Packed(page.data, page.size);
      return arrow::Status::OK();
    }
    if (page.encoding != parquet::Encoding::RLE) {
      return arrow::Status::NotImplemented("booleans in this encoding");
    }
    // The runs stand behind their size, in pages of either version.
    int32_t size = 0;
    if (page.size == 0) {
      page_ = BitRunReader();
      return arrow::Status::OK();
    }
    if (page.size < static_cast<int64_t>(sizeof(size))) return TooFewValues();
    std::memcpy(&size, page.data, sizeof(size));
    if (size < 0 || size > page.size - static_cast<int64_t>(sizeof(size))) return TooFewValues();
    page_ = BitRunReader::Hybrid(page.data + sizeof(size), size);
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t values) override {
    return page_.Skip(values) < 0 ? TooFewValues() : arrow::Status::OK();
  }

  arrow::Status Begin(int64_t rows) override {
    rows_ = 0;
    ARROW_ASSIGN_OR_RAISE(
        values_, arrow::AllocateResizableBuffer(arrow::bit_util::BytesForBits(rows), pool_));
    return arrow::Status::OK();
  }

  arrow::Status Grow(int64_t rows) override {
    return values_->Resize(arrow::bit_util::BytesForBits(rows), /*shrink_to_fit=*/false);
  }

  arrow::Status Append(const PageRows& rows) override {
    if (rows.present == rows.rows) {
      ARROW_RETURN_NOT_OK(Read(rows.present, values_->mutable_data(), rows_));
    } else {
      dense_.resize(static_cast<size_t>(arrow::bit_util::BytesForBits(rows.present)));
      ARROW_RETURN_NOT_OK(Read(rows.present, dense_.data(), 0));
      Spread(rows);
    }
    rows_ += rows.rows;
    return arrow::Status::OK();
  }

  arrow::Result<std::vector<ValueBuffers>> Finish() override {
    ARROW_RETURN_NOT_OK(values_->Resize(arrow::bit_util::BytesForBits(rows_)));
    values_->ZeroPadding();
    return std::vector<ValueBuffers>{{.rows = rows_, .buffers = {std::move(values_)}}};
  }

 private:
  static arrow::Status TooFewValues() {
    return arrow::Status::IOError("too few booleans in a page");
  }

  arrow::Status Read(int64_t count, uint8_t* bits, int64_t offset) {
    return page_.Read(count, bits, offset) < 0 ? TooFewValues() : arrow::Status::OK();
  }

  // Gives the present values their places; null ones are zeros.
  void Spread(const PageRows& rows) {
    BitAppender appender(values_->mutable_data(), rows_);
    int64_t next = 0;
    for (int64_t row = 0; row < rows.rows; row += 64) {
      const int64_t count = std::min<int64_t>(rows.rows - row, 64);
      uint64_t valid = ValidityWord(rows, row);
      const int64_t present = std::popcount(valid);
      uint64_t dense = LoadBits(dense_.data(), next, present);
      next += present;
      if (present == count) {
        appender.Append(dense, count);
        continue;
      }
      uint64_t spread = 0;
      for (; valid != 0; valid &= valid - 1, dense >>= 1) {
        spread |= (dense & 1) << std::countr_zero(valid);
      }
      appender.Append(spread, count);
    }
    appender.Finish();
  }

  arrow::MemoryPool* const pool_;
  BitRunReader page_;
  std::vector<uint8_t> dense_;  // The present values of the rows that are being added.

  // The array that is being filled.
  std::shared_ptr<arrow::ResizableBuffer> values_;
  int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<ColumnValues> MakeBooleanValues(arrow::MemoryPool* pool) {
  return std::make_unique<BooleanValues>(pool);
}

}  // namespace hangar
