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
#include <arrow/util/checked_cast.h>

#include "schema/array_conversion.h"

namespace hangar {
namespace {

using arrow::Result;
using arrow::Status;
using arrow::Type;
using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<arrow::DataType>;

ArrayDataPtr StripExtension(const ArrayDataPtr& array) {
  if (array->type->id() != Type::EXTENSION) return array;
  return StripExtension(
      WithType(array, checked_cast<const arrow::ExtensionType&>(*array->type).storage_type()));
}

// ------------------------------------------------------------------------------------ dictionaries

// What an array is hashed as to find its distinct values: for floating point its bits, so that -0.0
// and 0.0 stay two values; null for types that Arrow cannot hash.
TypePtr HashedType(const TypePtr& type) {
  switch (type->id()) {
    case Type::HALF_FLOAT:
      return arrow::uint16();
    case Type::FLOAT:
      return arrow::uint32();
    case Type::DOUBLE:
      return arrow::uint64();
    case Type::DECIMAL32:
      return arrow::int32();
    case Type::DECIMAL64:
      return arrow::int64();
    default:
      return type->num_fields() > 0 ? nullptr : type;
  }
}

uint64_t IndexMax(const arrow::DataType& index_type) {
  switch (index_type.id()) {
    case Type::INT8:
      return std::numeric_limits<int8_t>::max();
    case Type::UINT8:
      return std::numeric_limits<uint8_t>::max();
    case Type::INT16:
      return std::numeric_limits<int16_t>::max();
    case Type::UINT16:
      return std::numeric_limits<uint16_t>::max();
    case Type::INT32:
      return std::numeric_limits<int32_t>::max();
    case Type::UINT32:
      return std::numeric_limits<uint32_t>::max();
    default:
      return std::numeric_limits<int64_t>::max();
  }
}

Result<ArrayDataPtr> AssembleDictionary(const ArrayDataPtr& indices, const ArrayDataPtr& values,
                                        const TypePtr& logical, arrow::MemoryPool* pool) {
  const auto& type = checked_cast<const arrow::DictionaryType&>(*logical);
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr dictionary, ToLogicalArray(values, type.value_type(), pool));
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr cast, CastArray(indices, type.index_type(), pool));
  ArrayDataPtr result = WithType(cast, logical);
  result->dictionary = std::move(dictionary);
  return result;
}

bool IndexesFit(int64_t dictionary_length, const arrow::DictionaryType& type) {
  return dictionary_length == 0 ||
         static_cast<uint64_t>(dictionary_length - 1) <= IndexMax(*type.index_type());
}

// Each value its own entry: what can be done for types that cannot be hashed.
Result<ArrayDataPtr> NumberedIndices(const arrow::ArrayData& array, arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> indices,
      arrow::AllocateBuffer(array.length * static_cast<int64_t>(sizeof(int64_t)), pool));
  for (int64_t i = 0; i < array.length; ++i) indices->mutable_data_as<int64_t>()[i] = i;
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(array, pool));
  return arrow::ArrayData::Make(arrow::int64(), array.length,
                                {std::move(validity), std::move(indices)});
}

Result<ArrayDataPtr> EncodeDictionary(const ArrayDataPtr& array, const TypePtr& logical,
                                      arrow::MemoryPool* pool) {
  const auto& type = checked_cast<const arrow::DictionaryType&>(*logical);
  const ArrayDataPtr plain = StripExtension(array);
  const TypePtr hashed = HashedType(plain->type);
  ArrayDataPtr indices;
  ArrayDataPtr values = plain;
  if (hashed == nullptr) {
    ARROW_ASSIGN_OR_RAISE(indices, NumberedIndices(*plain, pool));
  } else {
    arrow::compute::ExecContext context(pool);
    ARROW_ASSIGN_OR_RAISE(arrow::Datum encoded,
                          arrow::compute::DictionaryEncode(
                              WithType(plain, hashed),
                              arrow::compute::DictionaryEncodeOptions::Defaults(), &context));
    values = WithType(encoded.array()->dictionary, plain->type);
    indices = WithType(encoded.array(), arrow::int32());
    indices->dictionary = nullptr;
  }
  if (!IndexesFit(values->length, type)) {
    return Status::CapacityError("more values than ", type.index_type()->ToString(), " can number");
  }
  return AssembleDictionary(indices, values, logical, pool);
}

Result<ArrayDataPtr> ToLogicalDictionary(const ArrayDataPtr& array, const TypePtr& logical,
                                         arrow::MemoryPool* pool) {
  if (array->type->id() != Type::DICTIONARY) return EncodeDictionary(array, logical, pool);
  const auto& type = checked_cast<const arrow::DictionaryType&>(*logical);
  ArrayDataPtr indices =
      WithType(array, checked_cast<const arrow::DictionaryType&>(*array->type).index_type());
  indices->dictionary = nullptr;
  if (IndexesFit(array->dictionary->length, type)) {
    return AssembleDictionary(indices, array->dictionary, logical, pool);
  }
  // A row group's dictionary, or one that the reader gathered, may hold more values than these rows
  // do.
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr values, TakeArray(array->dictionary, indices, pool));
  return EncodeDictionary(values, logical, pool);
}

// ------------------------------------------------------------------------------------------- lists

// Reads the offsets of a list or large list.
class ListOffsets {
 public:
  explicit ListOffsets(const arrow::ArrayData& list)
      : narrow_(list.type->id() == Type::LARGE_LIST ? nullptr : list.GetValues<int32_t>(1)),
        wide_(narrow_ == nullptr ? list.GetValues<int64_t>(1) : nullptr) {}

  int64_t operator[](int64_t i) const { return narrow_ != nullptr ? narrow_[i] : wide_[i]; }

 private:
  const int32_t* narrow_;
  const int64_t* wide_;
};

// The offsets (length + 1 of them) of a list, counted from its first item, and, when `sizes` is
// given, the sizes (length of them).
template <typename Int>
Result<std::shared_ptr<arrow::Buffer>> CopyOffsets(const arrow::ArrayData& list,
                                                   arrow::MemoryPool* pool,
                                                   std::shared_ptr<arrow::Buffer>* sizes) {
  const ListOffsets offsets(list);
  const int64_t first = list.length > 0 ? offsets[0] : 0;
  if (list.length > 0 && offsets[list.length] - first > int64_t{std::numeric_limits<Int>::max()}) {
    return Status::CapacityError("more items than 32-bit offsets can address");
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> copied,
      arrow::AllocateBuffer((list.length + 1) * static_cast<int64_t>(sizeof(Int)), pool));
  Int* out = copied->mutable_data_as<Int>();
  for (int64_t i = 0; i <= list.length; ++i) {
    out[i] = list.length == 0 ? Int{0} : static_cast<Int>(offsets[i] - first);
  }
  if (sizes == nullptr) return copied;
  ARROW_ASSIGN_OR_RAISE(
      *sizes, arrow::AllocateBuffer(list.length * static_cast<int64_t>(sizeof(Int)), pool));
  Int* out_sizes = (*sizes)->mutable_data_as<Int>();
  for (int64_t i = 0; i < list.length; ++i) out_sizes[i] = static_cast<Int>(out[i + 1] - out[i]);
  return copied;
}

template <typename Int>
Result<ArrayDataPtr> ToListOrView(const ArrayDataPtr& array, const TypePtr& logical,
                                  ArrayDataPtr items, bool view, arrow::MemoryPool* pool) {
  std::shared_ptr<arrow::Buffer> sizes;
  ARROW_ASSIGN_OR_RAISE(auto offsets, CopyOffsets<Int>(*array, pool, view ? &sizes : nullptr));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  std::vector<std::shared_ptr<arrow::Buffer>> buffers = {std::move(validity), std::move(offsets)};
  if (view) buffers.push_back(std::move(sizes));
  return arrow::ArrayData::Make(logical, array->length, std::move(buffers), {std::move(items)});
}

// The items of fixed-size lists, with `list_size` nulls in the place of each null list.
Result<ArrayDataPtr> PaddedItems(const ArrayDataPtr& array, int64_t list_size,
                                 arrow::MemoryPool* pool) {
  const ListOffsets offsets(*array);
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  const auto is_valid = [&](int64_t i) {
    return validity == nullptr || arrow::bit_util::GetBit(validity->data(), i);
  };
  for (int64_t i = 0; i < array->length; ++i) {
    if (is_valid(i) && offsets[i + 1] - offsets[i] != list_size) {
      return Status::Invalid("a list of fixed size ", list_size, " has ",
                             offsets[i + 1] - offsets[i], " items");
    }
  }
  const ArrayDataPtr& items = array->child_data[0];
  if (array->length == 0) return items->Slice(0, 0);
  if (validity == nullptr) return items->Slice(offsets[0], array->length * list_size);

  const int64_t padded_length = array->length * list_size;
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> indices,
      arrow::AllocateBuffer(padded_length * static_cast<int64_t>(sizeof(int64_t)), pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> index_validity,
                        arrow::AllocateEmptyBitmap(padded_length, pool));
  auto* out = indices->mutable_data_as<int64_t>();
  for (int64_t i = 0; i < array->length; ++i) {
    const bool valid = is_valid(i);
    arrow::bit_util::SetBitsTo(index_validity->mutable_data(), i * list_size, list_size, valid);
    for (int64_t j = 0; j < list_size; ++j) *out++ = valid ? offsets[i] + j : 0;
  }
  return TakeArray(items,
                   arrow::ArrayData::Make(arrow::int64(), padded_length,
                                          {std::move(index_validity), std::move(indices)}),
                   pool);
}

Result<ArrayDataPtr> ToLogicalFixedSizeList(const ArrayDataPtr& array, const TypePtr& logical,
                                            arrow::MemoryPool* pool) {
  const auto& type = checked_cast<const arrow::FixedSizeListType&>(*logical);
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr padded, PaddedItems(array, type.list_size(), pool));
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr items, ToLogicalArray(padded, type.value_type(), pool));
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  return arrow::ArrayData::Make(logical, array->length, {std::move(validity)}, {std::move(items)});
}

Result<ArrayDataPtr> ToLogicalList(const ArrayDataPtr& array, const TypePtr& logical,
                                   arrow::MemoryPool* pool) {
  if (logical->id() == Type::FIXED_SIZE_LIST) return ToLogicalFixedSizeList(array, logical, pool);
  // A slice takes its own items along only, so that cutting a batch cuts its dictionaries too.
  const ArrayDataPtr& all_items = array->child_data[0];
  const ListOffsets offsets(*array);
  const int64_t begin = array->length > 0 ? offsets[0] : 0;
  const int64_t end = array->length > 0 ? offsets[array->length] : 0;
  const bool whole = begin == 0 && end == all_items->length;
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr items,
                        ToLogicalArray(whole ? all_items : all_items->Slice(begin, end - begin),
                                       logical->field(0)->type(), pool));
  if (logical->id() == Type::MAP) {
    ARROW_ASSIGN_OR_RAISE(items, MapEntries(items));
  }
  if (whole && logical->id() == array->type->id()) {
    ArrayDataPtr result = WithType(array, logical);
    result->child_data = {std::move(items)};
    return result;
  }
  const bool view = logical->id() == Type::LIST_VIEW || logical->id() == Type::LARGE_LIST_VIEW;
  const bool wide = logical->id() == Type::LARGE_LIST || logical->id() == Type::LARGE_LIST_VIEW;
  return wide ? ToListOrView<int64_t>(array, logical, std::move(items), view, pool)
              : ToListOrView<int32_t>(array, logical, std::move(items), view, pool);
}

// -------------------------------------------------------------------------------------- other
// types

Result<ArrayDataPtr> ToLogicalStruct(const ArrayDataPtr& array, const TypePtr& logical,
                                     arrow::MemoryPool* pool) {
  const arrow::StructArray structs(array);
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  auto result = arrow::ArrayData::Make(logical, array->length, {validity}, array->GetNullCount());
  for (int i = 0; i < logical->num_fields(); ++i) {
    const TypePtr& child_type = logical->field(i)->type();
    std::shared_ptr<arrow::Array> child = structs.field(i);
    // What a field that is never null holds behind a null struct was made up by the reader: a value
    // that is none of a dictionary's, a list without the items of its fixed size.
    if (validity != nullptr && !child->type()->Equals(*child_type)) {
      ARROW_ASSIGN_OR_RAISE(child, structs.GetFlattenedField(i, pool));
    }
    ARROW_ASSIGN_OR_RAISE(ArrayDataPtr data, ToLogicalArray(child->data(), child_type, pool));
    result->child_data.push_back(std::move(data));
  }
  return result;
}

Result<ArrayDataPtr> ToEmptyFixedSizeBinary(const ArrayDataPtr& array, const TypePtr& logical,
                                            arrow::MemoryPool* pool) {
  const auto* offsets = array->GetValues<int32_t>(1);
  if (array->length > 0 && offsets[array->length] != offsets[0]) {
    return Status::Invalid("a value of fixed size 0 has bytes");
  }
  ARROW_ASSIGN_OR_RAISE(auto validity, ValidityAtZero(*array, pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(0, pool));
  return arrow::ArrayData::Make(logical, array->length, {std::move(validity), std::move(bytes)});
}

Result<ArrayDataPtr> ToLogicalDecimal(const ArrayDataPtr& array, const TypePtr& logical,
                                      arrow::MemoryPool* pool) {
  const auto& from = checked_cast<const arrow::DecimalType&>(*array->type);
  const auto& to = checked_cast<const arrow::DecimalType&>(*logical);
  if (from.id() == to.id() && from.scale() == to.scale()) return WithType(array, logical);
  return CastArray(array, logical, pool);
}

Result<ArrayDataPtr> ToLogicalTimestamp(const ArrayDataPtr& array, const TypePtr& logical,
                                        arrow::MemoryPool* pool) {
  // The instants are the same whatever the zone's name; only the unit takes work.
  const auto& from = checked_cast<const arrow::TimestampType&>(*array->type);
  const auto& to = checked_cast<const arrow::TimestampType&>(*logical);
  return CastArray(WithType(array, arrow::timestamp(from.unit(), to.timezone())), logical, pool);
}

}  // namespace

Result<ArrayDataPtr> ToLogicalArray(const ArrayDataPtr& array, const TypePtr& logical,
                                    arrow::MemoryPool* pool) {
  if (array->type->Equals(*logical, /*check_metadata=*/true)) return array;
  if (array->type->id() == Type::EXTENSION) {
    return ToLogicalArray(StripExtension(array), logical, pool);
  }
  switch (logical->id()) {
    case Type::EXTENSION: {
      const auto& storage = checked_cast<const arrow::ExtensionType&>(*logical).storage_type();
      ARROW_ASSIGN_OR_RAISE(ArrayDataPtr stored, ToLogicalArray(array, storage, pool));
      return WithType(stored, logical);
    }
    case Type::DICTIONARY:
      return ToLogicalDictionary(array, logical, pool);
    case Type::STRUCT:
      return ToLogicalStruct(array, logical, pool);
    case Type::MAP:
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
    case Type::FIXED_SIZE_LIST:
      return ToLogicalList(array, logical, pool);
    case Type::FIXED_SIZE_BINARY:
      return ToEmptyFixedSizeBinary(array, logical, pool);
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return ToLogicalDecimal(array, logical, pool);
    case Type::DATE64:
      return array->type->id() == Type::DATE32 ? CastArray(array, logical, pool)
                                               : Result<ArrayDataPtr>(WithType(array, logical));
    case Type::TIMESTAMP:
      return ToLogicalTimestamp(array, logical, pool);
    case Type::DURATION:
      return WithType(array, logical);
    default:
      return CastArray(array, logical, pool);
  }
}

}  // namespace hangar
