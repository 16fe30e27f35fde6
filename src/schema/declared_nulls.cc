#include "schema/declared_nulls.h"

#include <cstdint>
#include <memory>
#include <utility>

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>

#include "base/text.h"

namespace hangar {
namespace {

using arrow::Result;
using arrow::Status;
using arrow::Type;
using arrow::internal::checked_cast;

const arrow::DataType& PlainType(const arrow::DataType& type) {
  return type.id() == Type::EXTENSION
             ? PlainType(*checked_cast<const arrow::ExtensionType&>(type).storage_type())
             : type;
}

bool DeclaresNoNulls(const arrow::DataType& type) {
  for (const auto& child : PlainType(type).fields()) {
    if (!child->nullable() || DeclaresNoNulls(*child->type())) return true;
  }
  return false;
}

// The slots of an array that no null around it hides, as a bitmap from 0; null stands for all.
using Visible = std::shared_ptr<arrow::Buffer>;

Result<Visible> ButForNulls(const arrow::ArrayData& array, const Visible& visible,
                            arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(Visible valid, ValidityAtZero(array, pool));
  if (visible == nullptr || valid == nullptr) return visible == nullptr ? valid : visible;
  return arrow::internal::BitmapAnd(pool, visible->data(), 0, valid->data(), 0, array.length, 0);
}

template <typename Offset>
Result<Visible> VisibleItems(const arrow::ArrayData& list, const Visible& visible,
                             arrow::MemoryPool* pool) {
  if (visible == nullptr) return nullptr;
  const auto* offsets = list.GetValues<Offset>(1);
  const int64_t first = offsets[0];
  ARROW_ASSIGN_OR_RAISE(Visible items,
                        arrow::AllocateEmptyBitmap(offsets[list.length] - first, pool));
  for (int64_t i = 0; i < list.length; ++i) {
    if (!arrow::bit_util::GetBit(visible->data(), i)) continue;
    arrow::bit_util::SetBitsTo(items->mutable_data(), offsets[i] - first,
                               offsets[i + 1] - offsets[i], true);
  }
  return items;
}

Status CheckNulls(const arrow::ArrayData& array, const arrow::Field& field, const Visible& visible,
                  arrow::MemoryPool* pool);

template <typename Offset>
Status CheckItems(const arrow::ArrayData& list, const arrow::Field& item, const Visible& visible,
                  arrow::MemoryPool* pool) {
  if (list.length == 0) return Status::OK();
  const auto* offsets = list.GetValues<Offset>(1);
  ARROW_ASSIGN_OR_RAISE(Visible items, VisibleItems<Offset>(list, visible, pool));
  return CheckNulls(*list.child_data[0]->Slice(offsets[0], offsets[list.length] - offsets[0]), item,
                    items, pool);
}

// These are arrays of a client, so they are looked at as they are: building Array objects or
// gathering items out of them would ask for more than that they are valid.
Status CheckNulls(const arrow::ArrayData& array, const arrow::Field& field, const Visible& visible,
                  arrow::MemoryPool* pool) {
  const arrow::DataType& type = PlainType(*field.type());
  if (type.id() == Type::NA) return Status::OK();
  if (!field.nullable() && array.GetNullCount() > 0) {
    const int64_t seen = visible == nullptr
                             ? array.length
                             : arrow::internal::CountSetBits(visible->data(), 0, array.length);
    ARROW_ASSIGN_OR_RAISE(Visible seen_and_valid, ButForNulls(array, visible, pool));
    if (arrow::internal::CountSetBits(seen_and_valid->data(), 0, array.length) < seen) {
      return Status::Invalid(Quoted(field.name()), " is declared not to be null but has nulls");
    }
  }
  if (!DeclaresNoNulls(type)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(Visible inside, ButForNulls(array, visible, pool));
  switch (type.id()) {
    case Type::STRUCT:
      for (int i = 0; i < type.num_fields(); ++i) {
        const auto& child = array.child_data[static_cast<size_t>(i)];
        ARROW_RETURN_NOT_OK(
            CheckNulls(*child->Slice(array.offset, array.length), *type.field(i), inside, pool));
      }
      return Status::OK();
    case Type::LIST:
    case Type::MAP:
      return CheckItems<int32_t>(array, *type.field(0), inside, pool);
    case Type::LARGE_LIST:
      return CheckItems<int64_t>(array, *type.field(0), inside, pool);
    default:
      return Status::OK();
  }
}

bool HasHiddenNulls(const arrow::ArrayData& array) {
  const arrow::DataType& type = PlainType(*array.type);
  for (int i = 0; i < type.num_fields(); ++i) {
    const arrow::ArrayData& child = *array.child_data[static_cast<size_t>(i)];
    if (!type.field(i)->nullable() && child.GetNullCount() > 0) return true;
    if (HasHiddenNulls(child)) return true;
  }
  return false;
}

ArrayDataPtr WithoutHiddenNulls(const ArrayDataPtr& array) {
  const arrow::DataType& type = PlainType(*array->type);
  if (type.num_fields() == 0) return array;
  ArrayDataPtr result = array->Copy();
  for (int i = 0; i < type.num_fields(); ++i) {
    ArrayDataPtr child = WithoutHiddenNulls(array->child_data[static_cast<size_t>(i)]);
    if (!type.field(i)->nullable() && child->GetNullCount() > 0) {
      child = child->Copy();
      child->buffers[0] = nullptr;
      child->null_count = 0;
    }
    result->child_data[static_cast<size_t>(i)] = std::move(child);
  }
  return result;
}

}  // namespace

Result<ArrayDataPtr> KeepDeclaredNulls(ArrayDataPtr array, const arrow::Field& field,
                                       arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(CheckNulls(*array, field, /*visible=*/nullptr, pool));
  return HasHiddenNulls(*array) ? WithoutHiddenNulls(array) : array;
}

}  // namespace hangar
