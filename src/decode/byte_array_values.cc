#include "decode/byte_array_values.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include <arrow/buffer.h>

#include "decode/bit_words.h"
#include "decode/byte_array_reader.h"
#include "decode/dictionary_indices.h"
#include "decode/validity_words.h"

namespace hangar {
namespace {

// What a file says of its sizes makes no buffer larger than this before there is anything in it.
constexpr double kFirstBytesMax = 4 << 20;
// A buffer may have so much more room than it needs: 1 / 16.
constexpr int64_t kSpareShare = 16;

// The row behind the first `present` rows that are not null.
int64_t RowsWith(const PageRows& rows, int64_t present) {
  for (int64_t row = 0; row < rows.rows; row += 64) {
    const int64_t count = std::min<int64_t>(rows.rows - row, 64);
    uint64_t word = rows.validity == nullptr ? LowBits(count) : ValidityWord(rows, row);
    if (std::popcount(word) <= present) {
      present -= std::popcount(word);
      continue;
    }
    for (; present > 0; --present) word &= word - 1;
    return row + std::countr_zero(word);
  }
  return rows.rows;
}

template <typename Offset>
class ByteArrayValues final : public ColumnValues {
 public:
  ByteArrayValues(const ByteArrayOptions& options, arrow::MemoryPool* pool)
      : pool_(pool),
        array_bytes_max_(
            std::min<int64_t>(options.array_bytes_max, std::numeric_limits<Offset>::max())),
        row_bytes_(options.row_bytes_guess),
        indices_(pool) {}

  arrow::Status SetDictionary(int64_t count, const uint8_t* data, int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(dictionary_, ByteArrayDictionary::Make(count, data, size, pool_));
    return arrow::Status::OK();
  }

  arrow::Status SetPage(const PageValues& page) override {
    ARROW_ASSIGN_OR_RAISE(page_, OpenByteArrayPage(page, dictionary_.get(), &indices_));
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t values) override { return page_->Skip(values); }

  arrow::Status Begin(int64_t rows) override {
    finished_.clear();
    rows_finished_ = 0;
    return BeginArray(rows);
  }

  arrow::Status Grow(int64_t rows) override {
    rows_room_ = rows - rows_finished_;
    return offsets_->Resize((rows_room_ + 1) * static_cast<int64_t>(sizeof(Offset)),
                            /*shrink_to_fit=*/false);
  }

  arrow::Status Append(const PageRows& rows) override;
  arrow::Result<std::vector<ValueBuffers>> Finish() override;

 private:
  // Values of the page that were read and are still to be copied.
  struct Batch {
    int64_t begin = 0;
    int64_t end = 0;
  };

  arrow::Status BeginArray(int64_t rows);
  arrow::Status FinishArray();
  arrow::Result<int64_t> CopyValues(int64_t count, Batch* batch, Offset* ends);
  int64_t CopyEnds(const Batch& batch, Offset* ends);
  arrow::Status Reserve(int64_t bytes);
  void SpreadEnds(const PageRows& rows, Offset* ends) const;

  arrow::MemoryPool* const pool_;
  const int64_t array_bytes_max_;
  double row_bytes_;  // What a row takes: a guess at first, later what the last array's took.
  double first_bytes_max_ = kFirstBytesMax;
  DictionaryIndices indices_;
  std::shared_ptr<const ByteArrayDictionary> dictionary_;
  std::unique_ptr<ByteArrayReader> page_;

  // The array that is being filled.
  std::shared_ptr<arrow::ResizableBuffer> offsets_;
  std::shared_ptr<arrow::ResizableBuffer> bytes_;
  int64_t rows_room_ = 0;
  int64_t rows_ = 0;
  int64_t size_ = 0;  // Of the bytes that are in it.
  std::vector<ValueBuffers> finished_;
  int64_t rows_finished_ = 0;
};

template <typename Offset>
arrow::Status ByteArrayValues<Offset>::BeginArray(int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(offsets_, arrow::AllocateResizableBuffer(
                                      (rows + 1) * static_cast<int64_t>(sizeof(Offset)), pool_));
  ARROW_ASSIGN_OR_RAISE(bytes_, arrow::AllocateResizableBuffer(0, pool_));
  *reinterpret_cast<Offset*>(offsets_->mutable_data()) = 0;
  rows_room_ = rows;
  rows_ = 0;
  size_ = 0;
  return arrow::Status::OK();
}

template <typename Offset>
arrow::Status ByteArrayValues<Offset>::FinishArray() {
  if (rows_ > 0) {
    row_bytes_ = static_cast<double>(size_) / static_cast<double>(rows_);
    first_bytes_max_ = std::numeric_limits<double>::max();  // It is no guess any more.
  }
  const int64_t offsets_size = (rows_ + 1) * static_cast<int64_t>(sizeof(Offset));
  ARROW_RETURN_NOT_OK(offsets_->Resize(offsets_size, /*shrink_to_fit=*/rows_ < rows_room_));
  const bool roomy =
      bytes_->capacity() > size_ + size_ / kSpareShare + 2 * arrow::kDefaultBufferAlignment;
  ARROW_RETURN_NOT_OK(bytes_->Resize(size_, /*shrink_to_fit=*/roomy));
  offsets_->ZeroPadding();
  bytes_->ZeroPadding();
  rows_finished_ += rows_;
  finished_.push_back({.rows = rows_, .buffers = {std::move(offsets_), std::move(bytes_)}});
  return arrow::Status::OK();
}

template <typename Offset>
arrow::Result<std::vector<ValueBuffers>> ByteArrayValues<Offset>::Finish() {
  ARROW_RETURN_NOT_OK(FinishArray());
  return std::move(finished_);
}

// Room for so many bytes more, and for what copies write behind them.
template <typename Offset>
arrow::Status ByteArrayValues<Offset>::Reserve(int64_t bytes) {
  const int64_t needed = size_ + bytes + ByteArrayReader::kCopySlack;
  if (needed <= bytes_->size()) return arrow::Status::OK();
  // The first time as much as all rows may take, with a little to spare; then half as much again.
  const double guess = row_bytes_ * static_cast<double>(rows_room_) * (1 + 1.0 / (2 * kSpareShare));
  const auto wanted = bytes_->size() == 0 ? static_cast<int64_t>(std::min(guess, first_bytes_max_))
                                          : bytes_->size() + bytes_->size() / 2;
  return bytes_->Resize(std::max(needed, wanted), /*shrink_to_fit=*/false);
}

// The ends of a batch's values in the array, as far as it can hold them; how many that are.
template <typename Offset>
int64_t ByteArrayValues<Offset>::CopyEnds(const Batch& batch, Offset* ends) {
  const int32_t* const lengths = page_->lengths();
  int64_t end = size_;
  for (int64_t i = batch.begin; i < batch.end; ++i) {
    end += lengths[i];
    *ends++ = static_cast<Offset>(end);
  }
  if (end <= array_bytes_max_) return batch.end - batch.begin;
  end = size_;
  int64_t fitting = 0;
  for (int64_t i = batch.begin; i < batch.end; ++i) {
    // An array holds one value at least, however long.
    if (end + lengths[i] > array_bytes_max_ && end > 0) break;
    end += lengths[i];
    ++fitting;
  }
  return fitting;
}

// Copies up to `count` values of the page, beginning with what is left of `batch`. Gives how many
// there was room for in the array.
template <typename Offset>
arrow::Result<int64_t> ByteArrayValues<Offset>::CopyValues(int64_t count, Batch* batch,
                                                           Offset* ends) {
  int64_t copied = 0;
  while (copied < count) {
    if (batch->begin == batch->end) {
      *batch = {.begin = 0, .end = std::min(count - copied, ByteArrayReader::kBatch)};
      ARROW_RETURN_NOT_OK(page_->Read(batch->end));
    }
    const int64_t fitting = CopyEnds(*batch, ends + copied);
    if (fitting > 0) {
      const int64_t bytes = static_cast<int64_t>(ends[copied + fitting - 1]) - size_;
      ARROW_RETURN_NOT_OK(Reserve(bytes));
      page_->Copy(batch->begin, batch->begin + fitting, bytes_->mutable_data() + size_);
      size_ += bytes;
    }
    batch->begin += fitting;
    copied += fitting;
    if (batch->begin < batch->end) break;
  }
  return copied;
}

// As SpreadValues, save that a null row ends where the one before it does. `ends` is the first
// row's; before it stands where that row begins.
template <typename Offset>
void ByteArrayValues<Offset>::SpreadEnds(const PageRows& rows, Offset* ends) const {
  const Offset* next = ends + (rows.rows - rows.present);
  Offset end = ends[-1];
  for (int64_t row = 0; row < rows.rows; row += 64) {
    const uint64_t word = ValidityWord(rows, row);
    const int64_t count = std::min<int64_t>(rows.rows - row, 64);
    const int64_t last = 64 - std::countl_zero(word);
    Offset* const to = ends + row;
    for (int64_t i = 0; i < last; ++i) {
      const auto present = static_cast<int64_t>(word >> i & 1);
      end = present != 0 ? *next : end;
      next += present;
      to[i] = end;
    }
    std::fill(to + last, to + count, end);
  }
}

template <typename Offset>
arrow::Status ByteArrayValues<Offset>::Append(const PageRows& page_rows) {
  PageRows rows = page_rows;
  Batch batch;
  while (true) {
    Offset* const ends = reinterpret_cast<Offset*>(offsets_->mutable_data()) + 1 + rows_;
    Offset* const dense = ends + (rows.rows - rows.present);
    ARROW_ASSIGN_OR_RAISE(const int64_t copied, CopyValues(rows.present, &batch, dense));
    PageRows fitting = rows;
    if (copied < rows.present) {
      fitting.rows = RowsWith(rows, copied);
      fitting.present = copied;
      std::memmove(ends + (fitting.rows - copied), dense,
                   static_cast<size_t>(copied) * sizeof(Offset));
    }
    if (fitting.present < fitting.rows) SpreadEnds(fitting, ends);
    rows_ += fitting.rows;
    if (copied == rows.present) return arrow::Status::OK();

    const int64_t rows_left = rows_room_ - rows_;
    ARROW_RETURN_NOT_OK(FinishArray());
    ARROW_RETURN_NOT_OK(BeginArray(rows_left));
    rows.rows -= fitting.rows;
    rows.present -= copied;
    rows.validity_offset += fitting.rows;
  }
}

}  // namespace

std::unique_ptr<ColumnValues> MakeByteArrayValues(const ByteArrayOptions& options,
                                                  arrow::MemoryPool* pool) {
  if (options.large) return std::make_unique<ByteArrayValues<int64_t>>(options, pool);
  return std::make_unique<ByteArrayValues<int32_t>>(options, pool);
}

}  // namespace hangar
