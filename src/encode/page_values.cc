#include "encode/page_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>
#include <parquet/encoding.h>
#include <parquet/schema.h>

#include "encode/chunk_writer.h"
#include "encode/hybrid_encoding.h"
#include "encode/leaf_values.h"
#include "encode/value_bounds.h"
#include "encode/value_dictionary.h"

namespace hangar {
namespace {

using parquet::Encoding;

// Values are handled in blocks that stay in the processor's first cache.
constexpr int64_t kBlock = 2048;
constexpr int64_t kPageRowsMin = 64;
// Small pages let a reader begin, and skip, in small steps, and cost next to nothing: 0.2 % of the
// size of the benchmark's trips, against pages of 128 Ki rows. Parquet's Java writer stops at
// 20,000.
constexpr int64_t kPageRowsMax = 16 << 10;

arrow::Result<std::shared_ptr<arrow::Buffer>> CopyOf(const void* bytes, size_t size,
                                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> copy,
                        arrow::AllocateBuffer(static_cast<int64_t>(size), pool));
  if (size > 0) std::memcpy(copy->mutable_data(), bytes, size);
  return copy;
}

// A page that grows. What was taken from it is free again when nobody else holds it.
class PageBuffer {
 public:
  explicit PageBuffer(arrow::MemoryPool* pool) : pool_(pool) {}

  /// Where the next bytes go, with room for `bytes`.
  arrow::Result<uint8_t*> Reserve(int64_t bytes, int64_t page_bytes) {
    const int64_t needed = size_ + bytes;
    if (buffer_ == nullptr || buffer_.use_count() > 1) {
      ARROW_ASSIGN_OR_RAISE(buffer_,
                            arrow::AllocateResizableBuffer(std::max(needed, page_bytes), pool_));
    } else if (needed > buffer_->size()) {
      ARROW_RETURN_NOT_OK(buffer_->Resize(std::max(needed, buffer_->size() * 2)));
    }
    return buffer_->mutable_data() + size_;
  }
  void Advance(int64_t bytes) { size_ += bytes; }
  int64_t size() const { return size_; }
  const uint8_t* data() const { return buffer_->data(); }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Take() {
    if (size_ == 0) return std::make_shared<arrow::Buffer>(nullptr, 0);
    auto taken = arrow::SliceBuffer(buffer_, 0, std::exchange(size_, 0));
    // A last page may fill little of its buffer, which would be held as long as the chunk.
    if (taken->size() * 2 < buffer_->size()) {
      return CopyOf(taken->data(), static_cast<size_t>(taken->size()), pool_);
    }
    return taken;
  }

 private:
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  int64_t size_ = 0;
};

// A page of dictionary indices: the width, then the indices.
arrow::Result<std::shared_ptr<arrow::Buffer>> EncodeNumbers(const std::vector<uint32_t>& numbers,
                                                            size_t dictionary_size,
                                                            std::vector<uint8_t>* scratch,
                                                            arrow::MemoryPool* pool) {
  const int bit_width =
      dictionary_size == 0 ? 0 : BitWidth(static_cast<uint32_t>(dictionary_size - 1));
  scratch->assign(1, static_cast<uint8_t>(bit_width));
  AppendHybrid(numbers.data(), static_cast<int64_t>(numbers.size()), bit_width, scratch);
  return CopyOf(scratch->data(), scratch->size(), pool);
}

// Which encoding the pages of a column are in now.
class EncodingState {
 public:
  explicit EncodingState(const EncodingChoice& choice)
      : choice_(choice), current_(choice.encoding) {}

  ColumnEncoding current() const { return current_; }
  void FallBack() {
    fell_back_ = true;
    current_ = ColumnEncoding::kPlain;
  }
  /// Returns whether the chunk that ends fell back.
  bool NextChunk() {
    if (!fell_back_) return false;
    fell_back_ = false;
    choice_.encoding = choice_.without_dictionary;
    current_ = choice_.encoding;
    return true;
  }

 private:
  EncodingChoice choice_;
  ColumnEncoding current_;
  bool fell_back_ = false;
};

// Numbers. Arrow stores them as `Stored`, Parquet in the type of `ParquetType`; they are ordered as
// `Ordered`.
template <typename ParquetType, typename Stored, typename Ordered>
class NumberValues final : public PageValues {
  using Value = typename ParquetType::c_type;
  using Bits = std::conditional_t<sizeof(Value) == 4, uint32_t, uint64_t>;
  static_assert(sizeof(Value) == sizeof(Ordered));

 public:
  NumberValues(const LeafPlan& plan, arrow::MemoryPool* pool)
      : plan_(plan),
        pool_(pool),
        page_bytes_(PageRows(plan.page_bytes, sizeof(Value)) * static_cast<int64_t>(sizeof(Value))),
        state_(plan.choice),
        plain_(pool) {}

  int64_t RowBytes(const arrow::ArrayData&) const override { return sizeof(Value); }
  int64_t RowsThatFit(const arrow::ArrayData&, int64_t, int64_t rows) const override {
    return rows;
  }
  bool IsFull() const override { return false; }

  arrow::Status Append(const arrow::ArrayData& array, int64_t begin, int64_t rows,
                       int64_t nulls) override {
    const LooseValues<Stored> stored = LooseValues<Stored>(array, 1) + begin;
    std::array<Stored, kBlock> dense;
    std::array<Value, kBlock> widened;
    for (int64_t row = 0; row < rows; row += kBlock) {
      int64_t count = std::min(kBlock, rows - row);
      const LooseValues<Stored> loose = stored + row;
      const Stored* block = dense.data();
      if (nulls > 0) {
        count = TakeValid(loose, array.buffers[0]->data(), array.offset + begin + row, count,
                          dense.data());
      } else if (loose.is_aligned()) {
        block = reinterpret_cast<const Stored*>(loose.bytes());
      } else {
        std::memcpy(dense.data(), loose.bytes(), static_cast<size_t>(count) * sizeof(Stored));
      }
      if constexpr (sizeof(Stored) == sizeof(Value)) {
        ARROW_RETURN_NOT_OK(Add(reinterpret_cast<const Value*>(block), count));
      } else {
        std::copy_n(block, count, widened.data());
        ARROW_RETURN_NOT_OK(Add(widened.data(), count));
      }
    }
    return arrow::Status::OK();
  }

  arrow::Result<EncodedValues> FinishPage() override {
    EncodedValues page;
    page_bounds_.Encode(&page.bounds);
    chunk_bounds_.Add(page_bounds_);
    page_bounds_ = {};
    switch (state_.current()) {
      case ColumnEncoding::kDictionary: {
        page.encoding = Encoding::RLE_DICTIONARY;
        has_dictionary_pages_ = true;
        ARROW_ASSIGN_OR_RAISE(
            page.bytes, EncodeNumbers(numbers_, dictionary_.values().size(), &scratch_, pool_));
        numbers_.clear();
        return page;
      }
      case ColumnEncoding::kPlain: {
        ARROW_ASSIGN_OR_RAISE(page.bytes, plain_.Take());
        return page;
      }
      case ColumnEncoding::kDelta:
      case ColumnEncoding::kByteStreamSplit:
        page.encoding = ParquetEncoding();
        page.bytes = Encoder().FlushValues();
        return page;
    }
    return page;
  }

  arrow::Result<ChunkEnd> FinishChunk(ChunkWriter* chunk) override {
    ChunkEnd end;
    chunk_bounds_.Encode(&end.bounds);
    chunk_bounds_ = {};
    const auto& values = dictionary_.values();
    if (std::exchange(has_dictionary_pages_, false)) {
      ARROW_ASSIGN_OR_RAISE(auto plain, CopyOf(values.data(), values.size() * sizeof(Bits), pool_));
      ARROW_RETURN_NOT_OK(
          chunk->AddDictionary(std::move(plain), static_cast<int64_t>(values.size())));
    }
    end.fell_back = state_.NextChunk();
    if (state_.current() == ColumnEncoding::kDictionary) {
      dictionary_.Clear();
    } else if (!values.empty()) {
      dictionary_.Free();
    }
    return end;
  }

 private:
  arrow::Status Add(const Value* values, int64_t count) {
    page_bounds_.Add(reinterpret_cast<const Ordered*>(values), count);
    switch (state_.current()) {
      case ColumnEncoding::kDictionary:
        return AddNumbers(values, count);
      case ColumnEncoding::kPlain:
        return AddPlain(values, count);
      case ColumnEncoding::kDelta:
      case ColumnEncoding::kByteStreamSplit:
        Encoder().Put(values, static_cast<int>(count));
        return arrow::Status::OK();
    }
    return arrow::Status::OK();
  }

  arrow::Status AddPlain(const void* values, int64_t count) {
    const int64_t bytes = count * static_cast<int64_t>(sizeof(Value));
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, plain_.Reserve(bytes, page_bytes_));
    if (bytes > 0) std::memcpy(out, values, static_cast<size_t>(bytes));
    plain_.Advance(bytes);
    return arrow::Status::OK();
  }

  arrow::Status AddNumbers(const Value* values, int64_t count) {
    const size_t before = numbers_.size();
    numbers_.resize(before + static_cast<size_t>(count));
    const auto values_max = static_cast<size_t>(plan_.dictionary_bytes_max) / sizeof(Value);
    const int64_t numbered =
        dictionary_.Number(values, count, values_max, numbers_.data() + before);
    if (numbered == count) return arrow::Status::OK();
    // The page that is open becomes a plain one, so that pages keep their boundaries.
    numbers_.resize(before + static_cast<size_t>(numbered));
    state_.FallBack();
    std::vector<Bits> decoded;
    decoded.reserve(numbers_.size());
    for (const uint32_t number : numbers_) decoded.push_back(dictionary_.values()[number]);
    numbers_ = {};
    ARROW_RETURN_NOT_OK(AddPlain(decoded.data(), static_cast<int64_t>(decoded.size())));
    return AddPlain(values + numbered, count - numbered);
  }

  Encoding::type ParquetEncoding() const {
    return state_.current() == ColumnEncoding::kDelta ? Encoding::DELTA_BINARY_PACKED
                                                      : Encoding::BYTE_STREAM_SPLIT;
  }

  parquet::TypedEncoder<ParquetType>& Encoder() {
    if (encoder_ == nullptr) {
      encoder_ =
          parquet::MakeTypedEncoder<ParquetType>(ParquetEncoding(),
                                                 /*use_dictionary=*/false, plan_.column, pool_);
    }
    return *encoder_;
  }

  const LeafPlan plan_;
  arrow::MemoryPool* const pool_;
  const int64_t page_bytes_;  // Of a plain page that is full.
  EncodingState state_;
  NumberBounds<Ordered> page_bounds_;
  NumberBounds<Ordered> chunk_bounds_;
  PageBuffer plain_;
  FixedDictionary<Bits> dictionary_;
  std::vector<uint32_t> numbers_;      // Of the open page.
  bool has_dictionary_pages_ = false;  // In the open chunk.
  std::vector<uint8_t> scratch_;
  std::unique_ptr<parquet::TypedEncoder<ParquetType>> encoder_;
};

// Booleans: one bit each.
class BooleanValues final : public PageValues {
 public:
  explicit BooleanValues(arrow::MemoryPool* pool) : pool_(pool) {}

  int64_t RowBytes(const arrow::ArrayData&) const override { return 1; }
  int64_t RowsThatFit(const arrow::ArrayData&, int64_t, int64_t rows) const override {
    return rows;
  }
  bool IsFull() const override { return false; }

  arrow::Status Append(const arrow::ArrayData& array, int64_t begin, int64_t rows,
                       int64_t nulls) override {
    bits_.resize(static_cast<size_t>((count_ + rows + 7) / 8));
    const uint8_t* values = array.buffers[1]->data();
    const int64_t first = array.offset + begin;
    if (nulls == 0) {
      arrow::internal::CopyBitmap(values, first, rows, bits_.data(), count_);
      count_ += rows;
      return arrow::Status::OK();
    }
    const uint8_t* validity = array.buffers[0]->data();
    for (int64_t i = first; i < first + rows; ++i) {
      if (!BitAt(validity, i)) continue;
      arrow::bit_util::SetBitTo(bits_.data(), count_++, BitAt(values, i));
    }
    return arrow::Status::OK();
  }

  arrow::Result<EncodedValues> FinishPage() override {
    const int64_t set = arrow::internal::CountSetBits(bits_.data(), 0, count_);
    EncodedValues page;
    SetBounds(set < count_, set > 0, &page.bounds);
    any_false_ |= set < count_;
    any_true_ |= set > 0;
    // Bits behind the last value may be left from nulls that room was made for.
    if (count_ % 8 != 0) {
      bits_[static_cast<size_t>(count_ / 8)] &= static_cast<uint8_t>((1 << (count_ % 8)) - 1);
    }
    ARROW_ASSIGN_OR_RAISE(page.bytes,
                          CopyOf(bits_.data(), static_cast<size_t>((count_ + 7) / 8), pool_));
    bits_.clear();
    count_ = 0;
    return page;
  }

  arrow::Result<ChunkEnd> FinishChunk(ChunkWriter*) override {
    ChunkEnd end;
    SetBounds(std::exchange(any_false_, false), std::exchange(any_true_, false), &end.bounds);
    return end;
  }

 private:
  static void SetBounds(bool any_false, bool any_true, parquet::EncodedStatistics* bounds) {
    if (!any_false && !any_true) return;
    bounds->set_min(std::string(1, any_false ? '\0' : '\1'));
    bounds->set_max(std::string(1, any_true ? '\1' : '\0'));
    bounds->is_min_value_exact = true;
    bounds->is_max_value_exact = true;
  }

  arrow::MemoryPool* const pool_;
  std::vector<uint8_t> bits_;  // Of the open page.
  int64_t count_ = 0;
  bool any_false_ = false;  // In the pages of the chunk that are finished.
  bool any_true_ = false;
};

// Copies that overlap in the middle instead of a loop for short strings: most are.
void CopyShort(const char* from, size_t size, uint8_t* to) {
  const auto copy = [&](size_t at, auto word) {
    std::memcpy(&word, from + at, sizeof(word));
    std::memcpy(to + at, &word, sizeof(word));
  };
  using Sixteen = std::array<uint64_t, 2>;
  if (size > 64) {
    std::memcpy(to, from, size);
  } else if (size >= 32) {
    copy(0, Sixteen());
    copy(16, Sixteen());
    copy(size - 32, Sixteen());
    copy(size - 16, Sixteen());
  } else if (size >= 16) {
    copy(0, Sixteen());
    copy(size - 16, Sixteen());
  } else if (size >= 8) {
    copy(0, uint64_t{});
    copy(size - 8, uint64_t{});
  } else if (size >= 4) {
    copy(0, uint32_t{});
    copy(size - 4, uint32_t{});
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = static_cast<uint8_t>(from[i]);
  }
}

// Strings of bytes, read through `Strings`.
template <typename Strings>
class BytesValues final : public PageValues {
 public:
  BytesValues(const LeafPlan& plan, arrow::MemoryPool* pool)
      : plan_(plan), pool_(pool), state_(plan.choice), plain_(pool) {}

  int64_t RowBytes(const arrow::ArrayData& array) const override {
    const int64_t rows = std::max<int64_t>(array.length, 1);
    return Strings(array).Bytes(0, array.length) / rows + static_cast<int64_t>(sizeof(uint32_t));
  }

  int64_t RowsThatFit(const arrow::ArrayData& array, int64_t begin, int64_t rows) const override {
    const Strings strings(array);
    rows = std::min(rows, kBlock);
    while (rows > 1 && strings.Bytes(begin, rows) > 2 * plan_.page_bytes) rows /= 2;
    return rows;
  }

  bool IsFull() const override { return page_bytes_ >= 2 * plan_.page_bytes; }

  arrow::Status Append(const arrow::ArrayData& array, int64_t begin, int64_t rows,
                       int64_t nulls) override {
    const Strings strings(array);
    std::array<std::string_view, kBlock> values;
    for (int64_t row = begin; row < begin + rows; row += kBlock) {
      const int64_t end = std::min(row + kBlock, begin + rows);
      size_t count = 0;
      for (int64_t i = row; i < end; ++i) {
        if (nulls > 0 && !BitAt(array.buffers[0]->data(), array.offset + i)) continue;
        values[count++] = strings.Value(i);
      }
      ARROW_RETURN_NOT_OK(Add({values.data(), count}));
    }
    return arrow::Status::OK();
  }

  arrow::Result<EncodedValues> FinishPage() override {
    if (state_.current() == ColumnEncoding::kDictionary) BoundDictionaryPage();
    EncodedValues page{.string_bytes = std::exchange(page_bytes_, 0)};
    page_bounds_.Encode(&page.bounds);
    chunk_bounds_.Add(page_bounds_);
    chunk_bounds_.Keep();
    page_bounds_.Clear();
    ++page_number_;
    switch (state_.current()) {
      case ColumnEncoding::kDictionary: {
        page.encoding = Encoding::RLE_DICTIONARY;
        has_dictionary_pages_ = true;
        ARROW_ASSIGN_OR_RAISE(page.bytes,
                              EncodeNumbers(numbers_, dictionary_.size(), &scratch_, pool_));
        numbers_.clear();
        return page;
      }
      case ColumnEncoding::kDelta: {
        page.encoding = Encoding::DELTA_BYTE_ARRAY;
        ARROW_ASSIGN_OR_RAISE(page.bytes, FinishDeltas());
        return page;
      }
      default: {
        ARROW_ASSIGN_OR_RAISE(page.bytes, plain_.Take());
        return page;
      }
    }
  }

  arrow::Result<ChunkEnd> FinishChunk(ChunkWriter* chunk) override {
    ChunkEnd end;
    chunk_bounds_.Encode(&end.bounds);
    chunk_bounds_.Clear();
    if (std::exchange(has_dictionary_pages_, false)) {
      const auto& bytes = dictionary_.plain();
      ARROW_ASSIGN_OR_RAISE(auto plain, CopyOf(bytes.data(), bytes.size(), pool_));
      ARROW_RETURN_NOT_OK(chunk->AddDictionary(std::move(plain), dictionary_.size()));
    }
    end.fell_back = state_.NextChunk();
    last_pages_.clear();
    if (state_.current() == ColumnEncoding::kDictionary) {
      dictionary_.Clear();
    } else {
      dictionary_.Free();
    }
    return end;
  }

 private:
  arrow::Status Add(std::span<const std::string_view> values) {
    for (const std::string_view value : values) {
      page_bytes_ += static_cast<int64_t>(value.size());
    }
    switch (state_.current()) {
      case ColumnEncoding::kDictionary:
        return AddNumbers(values);
      case ColumnEncoding::kDelta:
        return AddDeltas(values);
      default:
        return AddPlain(values);
    }
  }

  void Bound(std::span<const std::string_view> values) {
    for (const std::string_view value : values) page_bounds_.Add(value);
    page_bounds_.Keep();
  }

  // The values that the page's numbers stand for.
  void BoundDictionaryPage() {
    for (uint32_t number = 0; number < last_pages_.size(); ++number) {
      if (last_pages_[number] == page_number_) page_bounds_.Add(dictionary_.Value(number));
    }
    page_bounds_.Keep();
  }

  arrow::Status AddPlain(std::span<const std::string_view> values) {
    Bound(values);
    int64_t bytes = 0;
    for (const std::string_view value : values) {
      if (value.size() > std::numeric_limits<int32_t>::max()) {
        return arrow::Status::Invalid("Parquet holds no value of 2 GiB or more");
      }
      bytes += static_cast<int64_t>(value.size() + sizeof(uint32_t));
    }
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, plain_.Reserve(bytes, plan_.page_bytes));
    for (const std::string_view value : values) {
      const auto length = static_cast<uint32_t>(value.size());
      std::memcpy(out, &length, sizeof(length));
      CopyShort(value.data(), value.size(), out + sizeof(length));
      out += sizeof(length) + value.size();
    }
    plain_.Advance(bytes);
    return arrow::Status::OK();
  }

  arrow::Status AddNumbers(std::span<const std::string_view> values) {
    const auto bytes_max = static_cast<size_t>(plan_.dictionary_bytes_max);
    for (size_t i = 0; i < values.size(); ++i) {
      const uint32_t number = dictionary_.Number(values[i], bytes_max);
      if (number == BytesDictionary::kFull) return FallBack(values.subspan(i));
      if (number >= last_pages_.size()) last_pages_.push_back(page_number_);
      last_pages_[number] = page_number_;
      numbers_.push_back(number);
    }
    return arrow::Status::OK();
  }

  // The page that is open becomes a plain one, so that pages keep their boundaries.
  arrow::Status FallBack(std::span<const std::string_view> rest) {
    state_.FallBack();
    std::array<std::string_view, kBlock> decoded;
    size_t count = 0;
    for (const uint32_t number : std::exchange(numbers_, {})) {
      decoded[count++] = dictionary_.Value(number);
      if (count < decoded.size()) continue;
      ARROW_RETURN_NOT_OK(AddPlain({decoded.data(), std::exchange(count, 0)}));
    }
    ARROW_RETURN_NOT_OK(AddPlain({decoded.data(), count}));
    return AddPlain(rest);
  }

  // Each value is how many of its first bytes are those of the value before it, and the rest.
  arrow::Status AddDeltas(std::span<const std::string_view> values) {
    Bound(values);
    int64_t bytes = 0;
    for (const std::string_view value : values) bytes += static_cast<int64_t>(value.size());
    ARROW_ASSIGN_OR_RAISE(uint8_t* out, plain_.Reserve(bytes, plan_.page_bytes));
    std::string_view previous = previous_;
    bytes = 0;
    for (const std::string_view value : values) {
      const size_t prefix = CommonPrefix(previous, value);
      const size_t suffix = value.size() - prefix;
      prefix_lengths_.push_back(static_cast<int32_t>(prefix));
      suffix_lengths_.push_back(static_cast<int32_t>(suffix));
      CopyShort(value.data() + prefix, suffix, out + bytes);
      bytes += static_cast<int64_t>(suffix);
      previous = value;
    }
    plain_.Advance(bytes);
    previous_ = std::string(previous);
    return arrow::Status::OK();
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> FinishDeltas() {
    if (lengths_encoder_ == nullptr) {
      lengths_encoder_ = parquet::MakeTypedEncoder<parquet::Int32Type>(
          Encoding::DELTA_BINARY_PACKED, /*use_dictionary=*/false, nullptr, pool_);
    }
    previous_.clear();
    arrow::BufferVector parts;
    for (std::vector<int32_t>* lengths : {&prefix_lengths_, &suffix_lengths_}) {
      lengths_encoder_->Put(*lengths);
      parts.push_back(lengths_encoder_->FlushValues());
      lengths->clear();
    }
    ARROW_ASSIGN_OR_RAISE(auto suffixes, plain_.Take());
    parts.push_back(std::move(suffixes));
    return arrow::ConcatenateBuffers(parts, pool_);
  }

  const LeafPlan plan_;
  arrow::MemoryPool* const pool_;
  EncodingState state_;
  BytesBounds page_bounds_;
  BytesBounds chunk_bounds_;
  int64_t page_bytes_ = 0;
  PageBuffer plain_;
  BytesDictionary dictionary_;
  std::vector<uint32_t> last_pages_;  // In which page each value of the dictionary was last seen.
  uint32_t page_number_ = 0;
  std::vector<uint32_t> numbers_;      // Of the open page.
  bool has_dictionary_pages_ = false;  // In the open chunk.
  std::vector<uint8_t> scratch_;
  std::string previous_;  // The last value of the open page, of deltas.
  std::vector<int32_t> prefix_lengths_;
  std::vector<int32_t> suffix_lengths_;
  std::unique_ptr<parquet::TypedEncoder<parquet::Int32Type>> lengths_encoder_;
};

}  // namespace

int64_t PageRows(int64_t page_bytes, int64_t row_bytes) {
  const auto rows = static_cast<uint64_t>(
      std::clamp(page_bytes / std::max<int64_t>(row_bytes, 1), kPageRowsMin, kPageRowsMax));
  return static_cast<int64_t>(std::bit_floor(rows));
}

std::unique_ptr<PageValues> MakePageValues(const LeafPlan& plan, const arrow::DataType& type,
                                           arrow::MemoryPool* pool) {
  using arrow::Type;
  using parquet::Int32Type;
  using parquet::Int64Type;
  switch (type.id()) {
    case Type::BOOL:
      return std::make_unique<BooleanValues>(pool);
    case Type::INT8:
      return std::make_unique<NumberValues<Int32Type, int8_t, int32_t>>(plan, pool);
    case Type::UINT8:
      return std::make_unique<NumberValues<Int32Type, uint8_t, uint32_t>>(plan, pool);
    case Type::INT16:
      return std::make_unique<NumberValues<Int32Type, int16_t, int32_t>>(plan, pool);
    case Type::UINT16:
      return std::make_unique<NumberValues<Int32Type, uint16_t, uint32_t>>(plan, pool);
    case Type::UINT32:
      return std::make_unique<NumberValues<Int32Type, uint32_t, uint32_t>>(plan, pool);
    case Type::INT32:
    case Type::DATE32:
    case Type::TIME32:
      return std::make_unique<NumberValues<Int32Type, int32_t, int32_t>>(plan, pool);
    case Type::UINT64:
      return std::make_unique<NumberValues<Int64Type, uint64_t, uint64_t>>(plan, pool);
    case Type::INT64:
    case Type::TIME64:
    case Type::TIMESTAMP:
    case Type::DURATION:
      return std::make_unique<NumberValues<Int64Type, int64_t, int64_t>>(plan, pool);
    case Type::FLOAT:
      return std::make_unique<NumberValues<parquet::FloatType, float, float>>(plan, pool);
    case Type::DOUBLE:
      return std::make_unique<NumberValues<parquet::DoubleType, double, double>>(plan, pool);
    case Type::STRING:
    case Type::BINARY:
      return std::make_unique<BytesValues<OffsetStrings<int32_t>>>(plan, pool);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return std::make_unique<BytesValues<OffsetStrings<int64_t>>>(plan, pool);
    case Type::STRING_VIEW:
    case Type::BINARY_VIEW:
      return std::make_unique<BytesValues<ViewStrings>>(plan, pool);
    default:
      return nullptr;
  }
}

bool IsFlat(const arrow::DataType& storage_type) {
  return MakePageValues({}, storage_type, arrow::default_memory_pool()) != nullptr;
}

}  // namespace hangar
