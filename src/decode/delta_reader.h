#pragma once

#include <cstdint>

#include <arrow/result.h>
#include <arrow/status.h>

namespace hangar {

/// Reads integers that are DELTA_BINARY_PACKED: blocks of differences, each block of miniblocks
/// with a bit width of their own.
/// https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC
///
///   ARROW_ASSIGN_OR_RAISE(auto lengths, DeltaReader<int32_t>::Open(data, size, page_values));
///   ARROW_ASSIGN_OR_RAISE(const uint8_t* bytes, lengths.FindEnd());
///   ARROW_RETURN_NOT_OK(lengths.Read(count, out));
///
/// Does not own the bytes and never reads beyond them, whatever they are; needs no memory of its
/// own. T is int32_t or int64_t; sums wrap around.
template <typename T>
class DeltaReader {
 public:
  /// Holds no values.
  DeltaReader() = default;

  /// Reads the header. An error if it is malformed or claims more than `values_max` values.
  static arrow::Result<DeltaReader> Open(const uint8_t* data, int64_t size, int64_t values_max);

  int64_t values_left() const { return values_left_; }

  /// The next `count` values. An error if there are fewer.
  arrow::Status Read(int64_t count, T* out);

  /// What follows the values, wherever this reader is in them: hops from block to block.
  arrow::Result<const uint8_t*> FindEnd() const;

 private:
  // What is left of the block that was begun.
  arrow::Status BeginBlock();
  arrow::Status BeginMiniblock();
  int64_t MiniblockBytes(int width) const { return values_per_miniblock_ / 8 * width; }
  void Unpack(int64_t count, T* out);

  const uint8_t* data_ = nullptr;
  const uint8_t* end_ = nullptr;
  int64_t values_left_ = 0;
  int64_t values_per_miniblock_ = 0;
  int64_t miniblocks_per_block_ = 0;
  bool first_ = true;  // The first value stands in the header.
  uint64_t last_ = 0;
  uint64_t min_delta_ = 0;
  const uint8_t* widths_ = nullptr;     // Of the miniblocks that are left of the block.
  int64_t miniblocks_left_ = 0;         // Of the block, the one that was begun not counted.
  const uint8_t* miniblock_ = nullptr;  // The packed differences.
  int64_t miniblock_left_ = 0;          // Values of the miniblock, padding included.
  int64_t miniblock_bit_ = 0;           // Where in it the next value begins.
  int width_ = 0;
};

extern template class DeltaReader<int32_t>;
extern template class DeltaReader<int64_t>;

}  // namespace hangar
