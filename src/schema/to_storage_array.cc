#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/checked_cast.h>

#include "schema/array_conversion.h"

namespace hangar {
namespace {

using arrow::Result;
using arrow::Status;
using arrow::Type;
using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<arrow::DataType>;

// Seconds to milliseconds, refusing what overflows. A null's value is not looked at.
template <typename Int>
Result<ArrayDataPtr> SecondsToMillis(const ArrayDataPtr& array, const TypePtr& storage,
                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> millis,
      arrow::AllocateBuffer(array->length * static_cast<int64_t>(sizeof(Int)), pool));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  const Int* in = array->GetValues<Int>(1);
  Int* out = millis->mutable_data_as<Int>();
  for (int64_t i = 0; i < array->length; ++i) {
    if (!__builtin_mul_overflow(in[i], Int{1000}, &out[i])) continue;
    if (validity == nullptr || arrow::bit_util::GetBit(validity->data(), i)) {
      return Status::Invalid("the value ", in[i],
                             " in seconds is beyond what milliseconds, the coarsest unit of"
                             " Parquet, can count");
    }
    out[i] = 0;
  }
  return arrow::ArrayData::Make(storage, array->length, {std::move(validity), std::move(millis)});
}

// Values of no bytes are empty strings.
Result<ArrayDataPtr> EmptyBinary(const ArrayDataPtr& array, const TypePtr& storage,
                                 arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((array->length + 1) * static_cast<int64_t>(sizeof(int32_t)), pool));
  std::memset(offsets->mutable_data(), 0, static_cast<size_t>(offsets->size()));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(0, pool));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  return arrow::ArrayData::Make(storage, array->length,
                                {std::move(validity), std::move(offsets), std::move(bytes)});
}

Result<ArrayDataPtr> DecodeDictionary(const ArrayDataPtr& array, const TypePtr& storage,
                                      arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr values, ToStorageArray(array->dictionary, storage, pool));
  ArrayDataPtr indices =
      WithType(array, checked_cast<const arrow::DictionaryType&>(*array->type).index_type());
  indices->dictionary = nullptr;
  return TakeArray(values, indices, pool);
}

Result<ArrayDataPtr> DictionaryToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                         arrow::MemoryPool* pool) {
  if (storage->id() != Type::DICTIONARY) return DecodeDictionary(array, storage, pool);
  const auto& from = checked_cast<const arrow::DictionaryType&>(*array->type);
  const auto& to = checked_cast<const arrow::DictionaryType&>(*storage);
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr values,
                        ToStorageArray(array->dictionary, to.value_type(), pool));
  ArrayDataPtr indices = WithType(array, from.index_type());
  indices->dictionary = nullptr;
  if (values->GetNullCount() > 0) {
    // A null is no entry of Parquet's dictionaries.
    ARROW_ASSIGN_OR_RAISE(ArrayDataPtr decoded, TakeArray(values, indices, pool));
    arrow::compute::ExecContext context(pool);
    ARROW_ASSIGN_OR_RAISE(
        arrow::Datum encoded,
        arrow::compute::DictionaryEncode(
            decoded, arrow::compute::DictionaryEncodeOptions::Defaults(), &context));
    return WithType(encoded.array(), storage);
  }
  ARROW_ASSIGN_OR_RAISE(indices, CastArray(indices, to.index_type(), pool));
  ArrayDataPtr result = WithType(indices, storage);
  result->dictionary = std::move(values);
  return result;
}

Result<ArrayDataPtr> StructToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                     arrow::MemoryPool* pool) {
  const arrow::StructArray structs(array);
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  auto result = arrow::ArrayData::Make(storage, array->length, {validity}, array->GetNullCount());
  for (int i = 0; i < storage->num_fields(); ++i) {
    const TypePtr& child_type = storage->field(i)->type();
    std::shared_ptr<arrow::Array> child = structs.field(i);
    // Values underneath a null struct are noise that conversions must not judge.
    const bool converted = !child->type()->Equals(*child_type);
    if (converted && validity != nullptr && storage->field(i)->nullable()) {
      ARROW_ASSIGN_OR_RAISE(child, structs.GetFlattenedField(i, pool));
    }
    ARROW_ASSIGN_OR_RAISE(ArrayDataPtr data, ToStorageArray(child->data(), child_type, pool));
    result->child_data.push_back(std::move(data));
  }
  return result;
}

// Lists and maps: the offsets stay, the items are converted.
Result<ArrayDataPtr> ListToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                   arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr items,
                        ToStorageArray(array->child_data[0], storage->field(0)->type(), pool));
  if (storage->id() == Type::MAP) {
    ARROW_ASSIGN_OR_RAISE(items, MapEntries(items));
  }
  ArrayDataPtr result = WithType(array, storage);
  result->child_data = {std::move(items)};
  return result;
}

// List views may lie in any order, overlap and leave items out; lists may not.
template <typename Int>
Result<ArrayDataPtr> ListViewToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                       arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  const Int* view_offsets = array->GetValues<Int>(1);
  const Int* view_sizes = array->GetValues<Int>(2);
  const auto size_of = [&](int64_t i) {
    const bool valid = validity == nullptr || arrow::bit_util::GetBit(validity->data(), i);
    return valid ? int64_t{view_sizes[i]} : 0;
  };
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((array->length + 1) * static_cast<int64_t>(sizeof(Int)), pool));
  Int* out = offsets->mutable_data_as<Int>();
  int64_t item_count = 0;
  bool in_order = true;  // Whether list i begins where list i - 1 ends.
  const int64_t first = array->length > 0 ? int64_t{view_offsets[0]} : 0;
  for (int64_t i = 0; i < array->length; ++i) {
    in_order &= size_of(i) == 0 || view_offsets[i] == first + item_count;
    out[i] = static_cast<Int>(item_count);
    item_count += size_of(i);
    if (item_count > int64_t{std::numeric_limits<Int>::max()}) {
      return Status::Invalid("the lists of one batch hold more than 2^31 items; send smaller ones");
    }
  }
  out[array->length] = static_cast<Int>(item_count);

  const TypePtr& item_type = storage->field(0)->type();
  ArrayDataPtr items;
  if (in_order) {
    const int64_t begin = item_count > 0 ? first : 0;
    ARROW_ASSIGN_OR_RAISE(
        items, ToStorageArray(array->child_data[0]->Slice(begin, item_count), item_type, pool));
  } else {
    ARROW_ASSIGN_OR_RAISE(
        std::shared_ptr<arrow::Buffer> indices,
        arrow::AllocateBuffer(item_count * static_cast<int64_t>(sizeof(int64_t)), pool));
    auto* index = indices->mutable_data_as<int64_t>();
    for (int64_t i = 0; i < array->length; ++i) {
      for (int64_t j = 0; j < size_of(i); ++j) *index++ = view_offsets[i] + j;
    }
    ARROW_ASSIGN_OR_RAISE(items, ToStorageArray(array->child_data[0], item_type, pool));
    ARROW_ASSIGN_OR_RAISE(items, TakeArray(items,
                                           arrow::ArrayData::Make(arrow::int64(), item_count,
                                                                  {nullptr, std::move(indices)}),
                                           pool));
  }
  return arrow::ArrayData::Make(storage, array->length, {std::move(validity), std::move(offsets)},
                                {std::move(items)});
}

// The items of the valid ones among fixed-size lists, in their storage type. `items` are those of
// all lists, `validity` is of the lists.
Result<ArrayDataPtr> ItemsOfValidLists(const ArrayDataPtr& items, const uint8_t* validity,
                                       int64_t list_size, const TypePtr& storage,
                                       arrow::MemoryPool* pool) {
  const int64_t list_count = list_size == 0 ? 0 : items->length / list_size;
  const int64_t kept = arrow::internal::CountSetBits(validity, 0, list_count) * list_size;
  ARROW_ASSIGN_OR_RAISE(auto visible,
                        arrow::AllocateEmptyBitmap(items->offset + items->length, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> indices,
                        arrow::AllocateBuffer(kept * static_cast<int64_t>(sizeof(int64_t)), pool));
  auto* index = indices->mutable_data_as<int64_t>();
  for (int64_t i = 0; i < list_count; ++i) {
    if (!arrow::bit_util::GetBit(validity, i)) continue;
    arrow::bit_util::SetBitsTo(visible->mutable_data(), items->offset + i * list_size, list_size,
                               true);
    for (int64_t j = 0; j < list_size; ++j) *index++ = i * list_size + j;
  }
  // The padding is noise that conversions must not judge, so it becomes null before them. They come
  // first all the same: Arrow gets gathering dictionaries of half floats with NaN wrong.
  ArrayDataPtr hidden = items;
  if (items->type->id() != Type::NA) {
    hidden = items->Copy();
    if (items->buffers[0] != nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          visible,
          arrow::internal::BitmapAnd(pool, items->buffers[0]->data(), items->offset,
                                     visible->data(), items->offset, items->length, items->offset));
    }
    hidden->buffers[0] = std::move(visible);
    hidden->null_count = arrow::kUnknownNullCount;
  }
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr stored, ToStorageArray(hidden, storage, pool));
  return TakeArray(
      stored, arrow::ArrayData::Make(arrow::int64(), kept, {nullptr, std::move(indices)}, 0), pool);
}

Result<ArrayDataPtr> FixedSizeListToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                            arrow::MemoryPool* pool) {
  const int64_t list_size = checked_cast<const arrow::FixedSizeListType&>(*array->type).list_size();
  if (array->length * list_size > std::numeric_limits<int32_t>::max()) {
    return Status::Invalid("the lists of one batch hold more than 2^31 items; send smaller ones");
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((array->length + 1) * static_cast<int64_t>(sizeof(int32_t)), pool));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  auto* out = offsets->mutable_data_as<int32_t>();
  out[0] = 0;
  for (int64_t i = 0; i < array->length; ++i) {
    const bool valid = validity == nullptr || arrow::bit_util::GetBit(validity->data(), i);
    out[i + 1] = out[i] + (valid ? static_cast<int32_t>(list_size) : 0);
  }
  const ArrayDataPtr all_items =
      array->child_data[0]->Slice(array->offset * list_size, array->length * list_size);
  const TypePtr& item_type = storage->field(0)->type();
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr items, validity == nullptr
                                                ? ToStorageArray(all_items, item_type, pool)
                                                : ItemsOfValidLists(all_items, validity->data(),
                                                                    list_size, item_type, pool));
  return arrow::ArrayData::Make(storage, array->length, {std::move(validity), std::move(offsets)},
                                {std::move(items)});
}

Result<ArrayDataPtr> DecimalToStorage(const ArrayDataPtr& array, const TypePtr& storage,
                                      arrow::MemoryPool* pool) {
  const auto& from = checked_cast<const arrow::DecimalType&>(*array->type);
  const auto& to = checked_cast<const arrow::DecimalType&>(*storage);
  // Cast would not raise the precision of values that it leaves alone, so only their type changes.
  if (from.id() == to.id() && from.scale() == to.scale()) return WithType(array, storage);
  return CastArray(array, storage, pool);
}

}  // namespace

Result<ArrayDataPtr> ToStorageArray(const ArrayDataPtr& array, const TypePtr& storage,
                                    arrow::MemoryPool* pool) {
  const bool null_entries =
      storage->id() == Type::DICTIONARY && array->dictionary->GetNullCount() > 0;
  if (!null_entries && array->type->Equals(*storage, /*check_metadata=*/true)) return array;
  switch (array->type->id()) {
    case Type::EXTENSION:
      return ToStorageArray(
          WithType(array, checked_cast<const arrow::ExtensionType&>(*array->type).storage_type()),
          storage, pool);
    case Type::DICTIONARY:
      return DictionaryToStorage(array, storage, pool);
    case Type::FIXED_SIZE_BINARY:
      return EmptyBinary(array, storage, pool);
    case Type::DATE64:
      return WithType(array, storage);
    case Type::TIME32:
      return SecondsToMillis<int32_t>(array, storage, pool);
    case Type::TIMESTAMP:
      return SecondsToMillis<int64_t>(array, storage, pool);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return DecimalToStorage(array, storage, pool);
    case Type::STRUCT:
      return StructToStorage(array, storage, pool);
    case Type::MAP:
    case Type::LIST:
    case Type::LARGE_LIST:
      return ListToStorage(array, storage, pool);
    case Type::LIST_VIEW:
      return ListViewToStorage<int32_t>(array, storage, pool);
    case Type::LARGE_LIST_VIEW:
      return ListViewToStorage<int64_t>(array, storage, pool);
    case Type::FIXED_SIZE_LIST:
      return FixedSizeListToStorage(array, storage, pool);
    default:
      return CastArray(array, storage, pool);
  }
}

}  // namespace hangar
