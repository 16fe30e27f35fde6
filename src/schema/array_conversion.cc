#include "schema/array_conversion.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/util/bitmap_ops.h>

namespace hangar {

using arrow::Result;

ArrayDataPtr WithType(const ArrayDataPtr& array, std::shared_ptr<arrow::DataType> type) {
  ArrayDataPtr copy = array->Copy();
  copy->type = std::move(type);
  return copy;
}

Result<std::shared_ptr<arrow::Buffer>> ValidityAtZero(const arrow::ArrayData& array,
                                                      arrow::MemoryPool* pool) {
  if (array.buffers[0] == nullptr || array.GetNullCount() == 0) return nullptr;
  if (array.offset == 0) return array.buffers[0];
  return arrow::internal::CopyBitmap(pool, array.buffers[0]->data(), array.offset, array.length);
}

Result<ArrayDataPtr> CastArray(const ArrayDataPtr& array,
                               const std::shared_ptr<arrow::DataType>& type,
                               arrow::MemoryPool* pool) {
  if (array->type->Equals(*type)) return array;
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(type);
  options.allow_invalid_utf8 = true;  // Text is carried, not judged.
  ARROW_ASSIGN_OR_RAISE(arrow::Datum cast, arrow::compute::Cast(array, options, &context));
  return cast.array();
}

Result<ArrayDataPtr> TakeArray(const ArrayDataPtr& values, const ArrayDataPtr& indices,
                               arrow::MemoryPool* pool) {
  arrow::compute::ExecContext context(pool);
  context.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum taken,
      arrow::compute::Take(values, indices, arrow::compute::TakeOptions::BoundsCheck(), &context));
  return taken.array();
}

Result<ArrayDataPtr> MapEntries(const ArrayDataPtr& entries) {
  const ArrayDataPtr& keys = entries->child_data[0];
  if (entries->null_count == 0 && keys->null_count == 0) return entries;
  if (entries->GetNullCount() > 0 || keys->GetNullCount() > 0) {
    return arrow::Status::Invalid("a map has a null key");
  }
  ArrayDataPtr fit = entries->Copy();
  fit->buffers[0] = nullptr;
  fit->null_count = 0;
  fit->child_data[0] = keys->Copy();
  fit->child_data[0]->buffers[0] = nullptr;
  fit->child_data[0]->null_count = 0;
  return fit;
}

}  // namespace hangar
