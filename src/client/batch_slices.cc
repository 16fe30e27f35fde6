#include "client/batch_slices.h"

#include <algorithm>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

namespace hangar::client {

int64_t SliceRows(const arrow::RecordBatch& batch, int64_t bytes_max) {
  int64_t bytes = 0;
  for (const auto& column : batch.columns()) {
    const bool is_dictionary = column->type_id() == arrow::Type::DICTIONARY;
    const arrow::Array& counted =
        is_dictionary ? *static_cast<const arrow::DictionaryArray&>(*column).indices() : *column;
    bytes += arrow::util::ReferencedBufferSize(counted).ValueOr(0);
  }
  if (bytes <= bytes_max) return std::max<int64_t>(batch.num_rows(), 1);
  const double share = static_cast<double>(bytes_max) / static_cast<double>(bytes);
  return std::max<int64_t>(static_cast<int64_t>(share * static_cast<double>(batch.num_rows())), 1);
}

}  // namespace hangar::client
