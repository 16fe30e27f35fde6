#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "decode/column_values.h"

namespace hangar {

/// Reads the indices of pages that are encoded with a dictionary, whatever its values are. May
/// throw Parquet's exceptions.
class DictionaryIndices {
 public:
  /// So many are read at once: they stay in the processor's nearest cache.
  static constexpr int64_t kBatch = 1024;

  explicit DictionaryIndices(arrow::MemoryPool* pool);
  ~DictionaryIndices();

  void SetPage(const PageValues& page);

  /// The next `count` (at most kBatch) indices, each of them below `dictionary_count`; they stay
  /// until the next call.
  arrow::Result<const int32_t*> Read(int64_t count, int64_t dictionary_count);

 private:
  // Parquet's own decoder unpacks with the processor's vector instructions. It is not told of the
  // dictionary, so any type of value does.
  class Decoder;
  const std::unique_ptr<Decoder> decoder_;
  int32_t indices_[kBatch];
};

}  // namespace hangar
