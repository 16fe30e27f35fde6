#include "decode/dictionary_indices.h"

#include <algorithm>

#include <parquet/encoding.h>

namespace hangar {

class DictionaryIndices::Decoder {
 public:
  explicit Decoder(arrow::MemoryPool* pool)
      : decoder(parquet::MakeDictDecoder<parquet::Int32Type>(nullptr, pool)) {}

  const std::unique_ptr<parquet::DictDecoder<parquet::Int32Type>> decoder;
};

DictionaryIndices::DictionaryIndices(arrow::MemoryPool* pool)
    : decoder_(std::make_unique<Decoder>(pool)) {}

DictionaryIndices::~DictionaryIndices() = default;

void DictionaryIndices::SetPage(const PageValues& page) {
  decoder_->decoder->SetData(static_cast<int>(page.count_max), page.data,
                             static_cast<int>(page.size));
}

arrow::Result<const int32_t*> DictionaryIndices::Read(int64_t count, int64_t dictionary_count) {
  const int read = decoder_->decoder->DecodeIndices(static_cast<int>(count), indices_);
  if (read != count) return arrow::Status::IOError("too few dictionary indices in a page");
  // Without a branch in it the loop is vectorised. An index of 32 bits can be negative.
  uint32_t bad = 0;
  const auto limit = static_cast<uint32_t>(std::min<int64_t>(dictionary_count, INT32_MAX));
  for (int64_t i = 0; i < count; ++i) bad |= static_cast<uint32_t>(indices_[i]) >= limit ? 1U : 0U;
  if (bad != 0) return arrow::Status::IOError("a dictionary index is out of range");
  return indices_;
}

}  // namespace hangar
