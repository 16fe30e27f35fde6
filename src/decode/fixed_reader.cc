#include "decode/fixed_reader.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include <arrow/buffer.h>
#include <parquet/encoding.h>

#include "decode/byte_array_reader.h"
#include "decode/delta_reader.h"

namespace hangar {
namespace {

constexpr int64_t kBatch = DictionaryIndices::kBatch;

arrow::Status TooFewValues() { return arrow::Status::IOError("too few values in a page"); }

class PlainReader final : public FixedReader {
 public:
  PlainReader(const PageValues& page, int64_t width)
      : width_(width), data_(page.data), left_(page.size / width) {}

  arrow::Status Read(int64_t count, uint8_t* out) override {
    const uint8_t* const in = data_;
    ARROW_RETURN_NOT_OK(Skip(count));
    if (count > 0) std::memcpy(out, in, static_cast<size_t>(count * width_));
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t count) override {
    if (count > left_) return TooFewValues();
    left_ -= count;
    data_ += count * width_;
    return arrow::Status::OK();
  }

 private:
  const int64_t width_;
  const uint8_t* data_;
  int64_t left_;
};

class DictionaryReader final : public FixedReader {
 public:
  DictionaryReader(const PageValues& page, int64_t width, const FixedDictionary* dictionary,
                   DictionaryIndices* indices)
      : width_(static_cast<size_t>(width)), dictionary_(dictionary), indices_(indices) {
    indices_->SetPage(page);
  }

  arrow::Status Read(int64_t count, uint8_t* out) override {
    for (; count > 0; count -= kBatch) {
      const int64_t batch = std::min(count, kBatch);
      ARROW_ASSIGN_OR_RAISE(const int32_t* indices, indices_->Read(batch, dictionary_->count));
      Gather(indices, batch, out);
      out += batch * static_cast<int64_t>(width_);
    }
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t count) override {
    for (; count > 0; count -= kBatch) {
      ARROW_RETURN_NOT_OK(indices_->Read(std::min(count, kBatch), dictionary_->count).status());
    }
    return arrow::Status::OK();
  }

 private:
  void Gather(const int32_t* indices, int64_t count, uint8_t* out) const {
    // With a width that the compiler knows a copy is one instruction.
    switch (width_) {
      case 4:
        return GatherOfWidth(indices, count, out, std::integral_constant<size_t, 4>());
      case 8:
        return GatherOfWidth(indices, count, out, std::integral_constant<size_t, 8>());
      case 16:
        return GatherOfWidth(indices, count, out, std::integral_constant<size_t, 16>());
      default:
        return GatherOfWidth(indices, count, out, width_);
    }
  }

  template <typename Width>
  void GatherOfWidth(const int32_t* indices, int64_t count, uint8_t* out, Width width) const {
    const uint8_t* const values = dictionary_->values->data();
    for (int64_t i = 0; i < count; ++i) {
      std::memcpy(out + static_cast<size_t>(i) * width,
                  values + static_cast<size_t>(indices[i]) * width, width);
    }
  }

  const size_t width_;
  const FixedDictionary* const dictionary_;
  DictionaryIndices* const indices_;
};

template <typename T>
class DeltaIntegerReader final : public FixedReader {
 public:
  explicit DeltaIntegerReader(DeltaReader<T> values) : values_(values) {}

  arrow::Status Read(int64_t count, uint8_t* out) override {
    return values_.Read(count, reinterpret_cast<T*>(out));
  }

  arrow::Status Skip(int64_t count) override {
    T passed[kBatch];
    for (; count > 0; count -= kBatch) {
      ARROW_RETURN_NOT_OK(values_.Read(std::min(count, kBatch), passed));
    }
    return arrow::Status::OK();
  }

 private:
  DeltaReader<T> values_;
};

// BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones, and so on.
class SplitReader final : public FixedReader {
 public:
  static arrow::Result<std::unique_ptr<SplitReader>> Open(const PageValues& page, int64_t width) {
    if (page.size % width != 0 || page.size / width > page.count_max) {
      return arrow::Status::IOError("a page of split bytes has a wrong size");
    }
    return std::unique_ptr<SplitReader>(new SplitReader(page, width));
  }

  arrow::Status Read(int64_t count, uint8_t* out) override {
    const uint8_t* in = data_;
    ARROW_RETURN_NOT_OK(Skip(count));
    for (int64_t byte = 0; byte < width_; ++byte, in += stride_) {
      for (int64_t i = 0; i < count; ++i) out[i * width_ + byte] = in[i];
    }
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t count) override {
    if (count > left_) return TooFewValues();
    left_ -= count;
    data_ += count;
    return arrow::Status::OK();
  }

 private:
  SplitReader(const PageValues& page, int64_t width)
      : width_(width), stride_(page.size / width), data_(page.data), left_(stride_) {}

  const int64_t width_;
  const int64_t stride_;
  const uint8_t* data_;  // The next value's first byte.
  int64_t left_;
};

// The same for 4 and 8 bytes, by Parquet's own decoder: it has vector instructions for these, and
// does not mind what the bytes mean.
template <typename DType>
class VectorSplitReader final : public FixedReader {
 public:
  using T = typename DType::c_type;

  explicit VectorSplitReader(const PageValues& page)
      : decoder_(parquet::MakeTypedDecoder<DType>(parquet::Encoding::BYTE_STREAM_SPLIT)) {
    decoder_->SetData(static_cast<int>(page.count_max), page.data, static_cast<int>(page.size));
  }

  arrow::Status Read(int64_t count, uint8_t* out) override {
    const int read = decoder_->Decode(reinterpret_cast<T*>(out), static_cast<int>(count));
    return read == count ? arrow::Status::OK() : TooFewValues();
  }

  arrow::Status Skip(int64_t count) override {
    T passed[kBatch];
    for (; count > 0; count -= kBatch) {
      ARROW_RETURN_NOT_OK(Read(std::min(count, kBatch), reinterpret_cast<uint8_t*>(&passed)));
    }
    return arrow::Status::OK();
  }

 private:
  const std::unique_ptr<parquet::TypedDecoder<DType>> decoder_;
};

// DELTA_BYTE_ARRAY, where all values have to be of the same length.
class DeltaFixedReader final : public FixedReader {
 public:
  DeltaFixedReader(std::unique_ptr<ByteArrayReader> values, int64_t width)
      : values_(std::move(values)), width_(width) {}

  arrow::Status Read(int64_t count, uint8_t* out) override {
    for (; count > 0; count -= kBatch) {
      const int64_t batch = std::min(count, kBatch);
      ARROW_RETURN_NOT_OK(values_->Read(batch));
      const int32_t* const lengths = values_->lengths();
      if (!std::all_of(lengths, lengths + batch, [&](int32_t l) { return l == width_; })) {
        return arrow::Status::IOError("a value of fixed length has another one");
      }
      copy_.resize(static_cast<size_t>(batch * width_ + ByteArrayReader::kCopySlack));
      values_->Copy(0, batch, copy_.data());
      std::memcpy(out, copy_.data(), static_cast<size_t>(batch * width_));
      out += batch * width_;
    }
    return arrow::Status::OK();
  }

  arrow::Status Skip(int64_t count) override { return values_->Skip(count); }

 private:
  const std::unique_ptr<ByteArrayReader> values_;
  const int64_t width_;
  std::vector<uint8_t> copy_;
};

template <typename T>
arrow::Result<std::unique_ptr<FixedReader>> OpenDelta(const PageValues& page) {
  ARROW_ASSIGN_OR_RAISE(auto values, DeltaReader<T>::Open(page.data, page.size, page.count_max));
  return std::make_unique<DeltaIntegerReader<T>>(values);
}

arrow::Result<std::unique_ptr<FixedReader>> OpenSplit(const PageValues& page, int64_t width) {
  if (width == 4) return std::make_unique<VectorSplitReader<parquet::FloatType>>(page);
  if (width == 8) return std::make_unique<VectorSplitReader<parquet::DoubleType>>(page);
  return SplitReader::Open(page, width);
}

}  // namespace

arrow::Result<std::unique_ptr<FixedReader>> OpenFixedPage(const PageValues& page,
                                                          parquet::Type::type physical,
                                                          int64_t width,
                                                          const FixedDictionary* dictionary,
                                                          DictionaryIndices* indices) {
  switch (page.encoding) {
    case parquet::Encoding::PLAIN:
      return std::make_unique<PlainReader>(page, width);
    case parquet::Encoding::PLAIN_DICTIONARY:
    case parquet::Encoding::RLE_DICTIONARY:
      if (dictionary == nullptr) return arrow::Status::IOError("a page's dictionary is missing");
      return std::make_unique<DictionaryReader>(page, width, dictionary, indices);
    case parquet::Encoding::BYTE_STREAM_SPLIT:
      return OpenSplit(page, width);
    case parquet::Encoding::DELTA_BINARY_PACKED:
      if (physical == parquet::Type::INT32) return OpenDelta<int32_t>(page);
      if (physical == parquet::Type::INT64) return OpenDelta<int64_t>(page);
      break;
    case parquet::Encoding::DELTA_BYTE_ARRAY:
      if (physical == parquet::Type::FIXED_LEN_BYTE_ARRAY) {
        ARROW_ASSIGN_OR_RAISE(auto values, OpenByteArrayPage(page, nullptr, indices));
        return std::make_unique<DeltaFixedReader>(std::move(values), width);
      }
      break;
    default:
      break;
  }
  return arrow::Status::NotImplemented("values of fixed width in this encoding");
}

}  // namespace hangar
