#include "decode/byte_array_reader.h"

#include <cstring>
#include <numeric>
#include <string_view>

#include <arrow/buffer.h>

namespace hangar {
namespace {

constexpr int64_t kLengthBytes = 4;  // Before each PLAIN value, little-endian.

arrow::Status BeyondPage() {
  return arrow::Status::IOError("a byte array reaches beyond the end of its page");
}

int32_t LoadLength(const uint8_t* data) {
  int32_t length = 0;
  std::memcpy(&length, data, sizeof(length));
  return length;
}

// Copies a value where kCopySlack bytes behind both places may be touched: most values are short,
// and for those a copy of fixed size is several times as fast as one of their own.
inline void CopyWithSlack(uint8_t* out, const uint8_t* in, int64_t length) {
  constexpr int64_t kShort = 16;
  std::memcpy(out, in, kShort);
  if (length <= kShort) return;
  std::memcpy(out + kShort, in + kShort, kShort);
  if (length <= 2 * kShort) return;
  std::memcpy(out + 2 * kShort, in + 2 * kShort, static_cast<size_t>(length - 2 * kShort));
}

class PlainReader final : public ByteArrayReader {
 public:
  explicit PlainReader(const PageValues& page) : data_(page.data), end_(page.data + page.size) {}

  arrow::Status Read(int64_t count) override {
    batch_ = data_;
    const uint8_t* data = data_;
    for (int64_t i = 0; i < count; ++i) {
      if (end_ - data < kLengthBytes) return BeyondPage();
      const int32_t length = LoadLength(data);
      data += kLengthBytes;
      if (length < 0 || length > end_ - data) return BeyondPage();
      lengths_[i] = length;
      data += length;
    }
    data_ = data;
    return arrow::Status::OK();
  }

  void Copy(int64_t begin, int64_t end, uint8_t* out) override {
    const uint8_t* in = batch_;
    int64_t i = begin;
    for (; i < end; ++i) {
      in += kLengthBytes;
      const int64_t length = lengths_[i];
      if (end_ - in < length + kCopySlack) {
        in -= kLengthBytes;
        break;
      }
      CopyWithSlack(out, in, length);
      in += length;
      out += length;
    }
    for (; i < end; ++i) {
      in += kLengthBytes;
      const int64_t length = lengths_[i];
      std::memcpy(out, in, static_cast<size_t>(length));
      in += length;
      out += length;
    }
    batch_ = in;
  }

 private:
  const uint8_t* data_;             // The next value to read,
  const uint8_t* batch_ = nullptr;  // and to copy.
  const uint8_t* const end_;
};

class DictionaryReader final : public ByteArrayReader {
 public:
  DictionaryReader(const PageValues& page, const ByteArrayDictionary* dictionary,
                   DictionaryIndices* indices)
      : dictionary_(dictionary), reader_(indices) {
    reader_->SetPage(page);
  }

  arrow::Status Read(int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(indices_, reader_->Read(count, dictionary_->count()));
    const ByteArrayDictionary::Entry* entries = dictionary_->entries();
    for (int64_t i = 0; i < count; ++i) lengths_[i] = entries[indices_[i]].length;
    return arrow::Status::OK();
  }

  void Copy(int64_t begin, int64_t end, uint8_t* out) override {
    const ByteArrayDictionary::Entry* entries = dictionary_->entries();
    const uint8_t* bytes = dictionary_->bytes();
    for (int64_t i = begin; i < end; ++i) {
      const ByteArrayDictionary::Entry entry = entries[indices_[i]];
      CopyWithSlack(out, bytes + entry.offset, entry.length);
      out += entry.length;
    }
  }

  arrow::Status Skip(int64_t count) override {
    for (int64_t left = count; left > 0; left -= kBatch) {
      ARROW_RETURN_NOT_OK(reader_->Read(std::min(left, kBatch), dictionary_->count()).status());
    }
    return arrow::Status::OK();
  }

 private:
  const ByteArrayDictionary* const dictionary_;
  DictionaryIndices* const reader_;
  const int32_t* indices_ = nullptr;
};

// DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes.
class DeltaLengthReader final : public ByteArrayReader {
 public:
  static arrow::Result<std::unique_ptr<DeltaLengthReader>> Open(const uint8_t* data, int64_t size,
                                                                int64_t count_max) {
    std::unique_ptr<DeltaLengthReader> reader(new DeltaLengthReader);
    ARROW_ASSIGN_OR_RAISE(reader->encoded_lengths_,
                          DeltaReader<int32_t>::Open(data, size, count_max));
    ARROW_ASSIGN_OR_RAISE(reader->bytes_, reader->encoded_lengths_.FindEnd());
    reader->end_ = data + size;
    return reader;
  }

  arrow::Status Read(int64_t count) override {
    ARROW_RETURN_NOT_OK(encoded_lengths_.Read(count, lengths_));
    int64_t sum = 0;
    int32_t signs = 0;
    for (int64_t i = 0; i < count; ++i) {
      signs |= lengths_[i];
      sum += lengths_[i];
    }
    if (signs < 0 || sum > end_ - bytes_) return BeyondPage();
    batch_ = bytes_;
    bytes_ += sum;
    return arrow::Status::OK();
  }

  void Copy(int64_t begin, int64_t end, uint8_t* out) override {
    const int64_t size = std::accumulate(lengths_ + begin, lengths_ + end, int64_t{0});
    if (size > 0) std::memcpy(out, batch_, static_cast<size_t>(size));
    batch_ += size;
  }

  /// Where the bytes of the values that were read last and not copied begin; MoveTo says how far
  /// someone else copied them.
  const uint8_t* batch() const { return batch_; }
  void MoveTo(const uint8_t* batch) { batch_ = batch; }

 private:
  DeltaLengthReader() = default;

  DeltaReader<int32_t> encoded_lengths_;
  const uint8_t* bytes_ = nullptr;  // Of the next value to read,
  const uint8_t* batch_ = nullptr;  // and to copy.
  const uint8_t* end_ = nullptr;
};

// DELTA_BYTE_ARRAY: how many bytes each value shares with the one before it, then the rest of each
// as DELTA_LENGTH_BYTE_ARRAY. The first value of a page shares none.
class DeltaByteArrayReader final : public ByteArrayReader {
 public:
  static arrow::Result<std::unique_ptr<DeltaByteArrayReader>> Open(const PageValues& page) {
    std::unique_ptr<DeltaByteArrayReader> reader(new DeltaByteArrayReader);
    ARROW_ASSIGN_OR_RAISE(reader->encoded_prefixes_,
                          DeltaReader<int32_t>::Open(page.data, page.size, page.count_max));
    if (page.size > 0) {
      ARROW_ASSIGN_OR_RAISE(const uint8_t* rest, reader->encoded_prefixes_.FindEnd());
      ARROW_ASSIGN_OR_RAISE(
          reader->suffixes_,
          DeltaLengthReader::Open(rest, page.data + page.size - rest, page.count_max));
    }
    return reader;
  }

  arrow::Status Read(int64_t count) override {
    ARROW_RETURN_NOT_OK(encoded_prefixes_.Read(count, prefixes_));
    if (count == 0) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(suffixes_->Read(count));
    for (int64_t i = 0; i < count; ++i) {
      if (prefixes_[i] < 0 || prefixes_[i] > last_length_) {
        return arrow::Status::IOError("a byte array shares more than the one before it has");
      }
      const int64_t length = int64_t{prefixes_[i]} + suffixes_->lengths()[i];
      if (length > INT32_MAX) return arrow::Status::IOError("a byte array is too long");
      lengths_[i] = last_length_ = static_cast<int32_t>(length);
    }
    return arrow::Status::OK();
  }

  void Copy(int64_t begin, int64_t end, uint8_t* out) override {
    std::string_view last = last_;
    const uint8_t* suffix = suffixes_->batch();
    for (int64_t i = begin; i < end; ++i) {
      const auto prefix_length = static_cast<size_t>(prefixes_[i]);
      const auto length = static_cast<size_t>(lengths_[i]);
      if (prefix_length > 0) std::memcpy(out, last.data(), prefix_length);
      if (length > prefix_length) std::memcpy(out + prefix_length, suffix, length - prefix_length);
      suffix += length - prefix_length;
      last = std::string_view(reinterpret_cast<const char*>(out), length);
      out += length;
    }
    suffixes_->MoveTo(suffix);
    last_ = std::string(last);
  }

  arrow::Status Skip(int64_t count) override {
    for (int64_t left = count; left > 0; left -= kBatch) {
      const int64_t batch = std::min(left, kBatch);
      ARROW_RETURN_NOT_OK(Read(batch));
      const uint8_t* suffix = suffixes_->batch();
      for (int64_t i = 0; i < batch; ++i) {
        const auto prefix_length = static_cast<size_t>(prefixes_[i]);
        const size_t suffix_length = static_cast<size_t>(lengths_[i]) - prefix_length;
        last_.resize(prefix_length);
        last_.append(reinterpret_cast<const char*>(suffix), suffix_length);
        suffix += suffix_length;
      }
    }
    return arrow::Status::OK();
  }

 private:
  DeltaByteArrayReader() = default;

  DeltaReader<int32_t> encoded_prefixes_;
  std::unique_ptr<DeltaLengthReader> suffixes_;  // None in a page without a byte.
  int32_t prefixes_[kBatch];
  int32_t last_length_ = 0;  // Of the last value that was read;
  std::string last_;         // the last one that was copied or skipped.
};

}  // namespace

arrow::Status ByteArrayReader::Skip(int64_t count) {
  for (int64_t left = count; left > 0; left -= kBatch) {
    ARROW_RETURN_NOT_OK(Read(std::min(left, kBatch)));
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<const ByteArrayDictionary>> ByteArrayDictionary::Make(
    int64_t count, const uint8_t* data, int64_t size, arrow::MemoryPool* pool) {
  // Checked before anything is allocated for what the page only claims to have.
  if (count < 0 || count > size / kLengthBytes) return BeyondPage();
  const int64_t bytes_size = size - count * kLengthBytes;
  ARROW_ASSIGN_OR_RAISE(
      auto entries, arrow::AllocateBuffer(
                        std::max<int64_t>(count, 1) * static_cast<int64_t>(sizeof(Entry)), pool));
  ARROW_ASSIGN_OR_RAISE(auto bytes,
                        arrow::AllocateBuffer(bytes_size + ByteArrayReader::kCopySlack, pool));
  auto* entry = reinterpret_cast<Entry*>(entries->mutable_data());
  uint8_t* out = bytes->mutable_data();
  const uint8_t* const end = data + size;
  uint32_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (end - data < kLengthBytes) return BeyondPage();
    const int32_t length = LoadLength(data);
    data += kLengthBytes;
    // The lengths that are still to come need their bytes as well: the sum stays in `bytes`.
    if (length < 0 || length > end - data - (count - 1 - i) * kLengthBytes) return BeyondPage();
    std::memcpy(out + offset, data, static_cast<size_t>(length));
    entry[i] = {.offset = offset, .length = length};
    data += length;
    offset += static_cast<uint32_t>(length);
  }
  // Copies of a fixed size read what is behind the last value.
  std::memset(out + offset, 0, static_cast<size_t>(bytes->size() - offset));
  auto dictionary = std::make_shared<ByteArrayDictionary>();
  dictionary->count_ = count;
  dictionary->entries_ = entry;
  dictionary->bytes_ = out;
  dictionary->entries_buffer_ = std::move(entries);
  dictionary->bytes_buffer_ = std::move(bytes);
  return dictionary;
}

arrow::Result<std::unique_ptr<ByteArrayReader>> OpenByteArrayPage(
    const PageValues& page, const ByteArrayDictionary* dictionary, DictionaryIndices* indices) {
  switch (page.encoding) {
    case parquet::Encoding::PLAIN:
      return std::make_unique<PlainReader>(page);
    case parquet::Encoding::PLAIN_DICTIONARY:
    case parquet::Encoding::RLE_DICTIONARY:
      if (dictionary == nullptr) return arrow::Status::IOError("a page's dictionary is missing");
      return std::make_unique<DictionaryReader>(page, dictionary, indices);
    case parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY:
      return DeltaLengthReader::Open(page.data, page.size, page.count_max);
    case parquet::Encoding::DELTA_BYTE_ARRAY:
      return DeltaByteArrayReader::Open(page);
    default:
      return arrow::Status::NotImplemented("byte arrays in this encoding");
  }
}

}  // namespace hangar
