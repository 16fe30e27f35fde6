#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "decode/column_values.h"
#include "decode/delta_reader.h"
#include "decode/dictionary_indices.h"

namespace hangar {

/// Reads the BYTE_ARRAY values of one page in two steps, so that what they take is known before a
/// byte of them is copied. Every length is checked against the bytes that the page has.
///
///   ARROW_RETURN_NOT_OK(reader->Read(count));            // their lengths
///   reader->Copy(0, count, room for the sum of reader->lengths() and kCopySlack more);
class ByteArrayReader {
 public:
  static constexpr int64_t kBatch = DictionaryIndices::kBatch;
  /// Copy may write so many bytes behind the last value.
  static constexpr int64_t kCopySlack = 32;

  virtual ~ByteArrayReader() = default;

  /// Takes the next `count` (at most kBatch) values. An error if there are fewer.
  virtual arrow::Status Read(int64_t count) = 0;

  /// Bytes of each of the values that were read last.
  const int32_t* lengths() const { return lengths_; }

  /// Copies some of the values that were read last, one behind the other: those from `begin` up to
  /// `end`. Where a batch is copied in parts, they are in its order and leave nothing out.
  virtual void Copy(int64_t begin, int64_t end, uint8_t* out) = 0;

  /// Passes over the next `count` values.
  virtual arrow::Status Skip(int64_t count);

 protected:
  int32_t lengths_[kBatch];
};

/// The values of a dictionary page of byte arrays.
class ByteArrayDictionary {
 public:
  struct Entry {
    uint32_t offset = 0;
    int32_t length = 0;
  };

  /// Of `count` PLAIN values, which are copied.
  static arrow::Result<std::shared_ptr<const ByteArrayDictionary>> Make(int64_t count,
                                                                        const uint8_t* data,
                                                                        int64_t size,
                                                                        arrow::MemoryPool* pool);

  int64_t count() const { return count_; }
  const Entry* entries() const { return entries_; }
  /// Readable for ByteArrayReader::kCopySlack bytes behind the last value.
  const uint8_t* bytes() const { return bytes_; }

 private:
  int64_t count_ = 0;
  const Entry* entries_ = nullptr;
  const uint8_t* bytes_ = nullptr;
  std::shared_ptr<arrow::Buffer> entries_buffer_;
  std::shared_ptr<arrow::Buffer> bytes_buffer_;
};

/// A reader of this page; `dictionary` (which may be null) and `indices` must outlive it.
arrow::Result<std::unique_ptr<ByteArrayReader>> OpenByteArrayPage(
    const PageValues& page, const ByteArrayDictionary* dictionary, DictionaryIndices* indices);

}  // namespace hangar
