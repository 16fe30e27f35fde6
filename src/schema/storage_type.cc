#include "schema/storage_type.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>
#include <arrow/util/key_value_metadata.h>

namespace hangar {
namespace {

using arrow::DataType;
using arrow::Field;
using arrow::Type;
using arrow::internal::checked_cast;
using TypePtr = std::shared_ptr<DataType>;
using FieldPtr = std::shared_ptr<Field>;

// Where a value is stored: as a column of its own, as the storage of a column's extension type, or
// inside of other values.
// - Inside of others, views of strings are stored as plain strings, as Arrow can neither gather
// them
//   by position (which list views, dictionaries and the padding of null fixed-size lists need) nor
//   write all of them.
// - Dictionaries stay dictionaries only as whole columns: Parquet's reader may yield several for
// one
//   batch, which nothing nested can hold, or none, over which it ends the process for extensions.
enum class Place { kColumn, kExtension, kNested };

TypePtr StorageTypeAt(const TypePtr& type, Place place);

bool SameType(const DataType& a, const DataType& b) { return a.Equals(b, /*check_metadata=*/true); }

// Parquet's null columns are always optional.
bool IsStoredAsNull(const DataType& storage) {
  if (storage.id() == Type::EXTENSION) {
    return IsStoredAsNull(*checked_cast<const arrow::ExtensionType&>(storage).storage_type());
  }
  return storage.id() == Type::NA;
}

FieldPtr StorageFieldAt(const FieldPtr& field, Place place) {
  TypePtr type = StorageTypeAt(field->type(), place);
  const bool nullable = field->nullable() || IsStoredAsNull(*type);
  if (type == field->type() && nullable == field->nullable()) return field;
  FieldPtr stored = field->WithType(type)->WithNullable(nullable);
  if (type != field->type() && field->HasMetadata()) {
    std::vector<std::string> keys;
    std::vector<std::string> values;
    for (int64_t i = 0; i < field->metadata()->size(); ++i) {
      if (field->metadata()->key(i).starts_with("ARROW:extension:")) continue;
      keys.push_back(field->metadata()->key(i));
      values.push_back(field->metadata()->value(i));
    }
    stored = keys.empty() ? stored->RemoveMetadata()
                          : stored->WithMetadata(arrow::key_value_metadata(keys, values));
  }
  return stored;
}

TypePtr StorageDecimal(const TypePtr& type) {
  const auto& decimal = checked_cast<const arrow::DecimalType&>(*type);
  const int precision = decimal.precision();
  const int scale = decimal.scale();
  if (scale >= 0 && scale <= precision) return type;
  // Parquet wants 0 <= scale <= precision. A larger scale wants leading zeros counted as digits; a
  // negative one has its trailing zeros written out.
  const int digits = scale < 0 ? precision - scale : scale;
  const int stored_scale = std::max(scale, 0);
  return digits <= arrow::Decimal128Type::kMaxPrecision ? arrow::decimal128(digits, stored_scale)
                                                        : arrow::decimal256(digits, stored_scale);
}

TypePtr StorageDictionary(const TypePtr& type, Place place) {
  const auto& dictionary = checked_cast<const arrow::DictionaryType&>(*type);
  if (place == Place::kColumn) {
    const TypePtr& values = dictionary.value_type();
    TypePtr stored_values = arrow::is_string_or_string_view(values->id())   ? arrow::utf8()
                            : arrow::is_binary_or_binary_view(values->id()) ? arrow::binary()
                                                                            : nullptr;
    if (stored_values != nullptr) {
      if (dictionary.index_type()->id() == Type::INT32 && stored_values->Equals(*values)) {
        return type;
      }
      return arrow::dictionary(arrow::int32(), stored_values, dictionary.ordered());
    }
  }
  return StorageTypeAt(dictionary.value_type(), Place::kNested);
}

TypePtr StorageExtension(const TypePtr& type, Place place) {
  const auto& extension = checked_cast<const arrow::ExtensionType&>(*type);
  TypePtr storage =
      StorageTypeAt(extension.storage_type(), place == Place::kColumn ? Place::kExtension : place);
  // The extension type itself is kept where it can be: Parquet has types of its own for some
  // (arrow.uuid, arrow.json).
  return SameType(*storage, *extension.storage_type()) ? type : storage;
}

TypePtr StorageStruct(const TypePtr& type) {
  std::vector<FieldPtr> fields;
  bool changed = false;
  for (const FieldPtr& field : type->fields()) {
    fields.push_back(StorageFieldAt(field, Place::kNested));
    changed |= fields.back() != field;
  }
  return changed ? arrow::struct_(std::move(fields)) : type;
}

TypePtr StorageMap(const TypePtr& type) {
  const auto& map = checked_cast<const arrow::MapType&>(*type);
  TypePtr entries = StorageStruct(map.value_type());
  if (entries == map.value_type()) return type;
  return std::make_shared<arrow::MapType>(map.value_field()->WithType(std::move(entries)),
                                          map.keys_sorted());
}

TypePtr StorageList(const TypePtr& type) {
  const auto& list = checked_cast<const arrow::BaseListType&>(*type);
  FieldPtr item = StorageFieldAt(list.value_field(), Place::kNested);
  switch (type->id()) {
    case Type::LIST:
      return item == list.value_field() ? type : arrow::list(item);
    case Type::LARGE_LIST:
      return item == list.value_field() ? type : arrow::large_list(item);
    case Type::LARGE_LIST_VIEW:
      return arrow::large_list(item);
    default:
      return arrow::list(item);
  }
}

TypePtr StorageTypeAt(const TypePtr& type, Place place) {
  switch (type->id()) {
    case Type::STRING_VIEW:
      return place == Place::kNested ? arrow::utf8() : type;
    case Type::BINARY_VIEW:
      return place == Place::kNested ? arrow::binary() : type;
    case Type::FIXED_SIZE_BINARY:
      // Parquet has no fixed length of zero.
      return checked_cast<const arrow::FixedSizeBinaryType&>(*type).byte_width() == 0
                 ? arrow::binary()
                 : type;
    case Type::DATE64:
      // Parquet's DATE counts days in 32 bits, which not every date64 fits.
      return arrow::timestamp(arrow::TimeUnit::MILLI);
    case Type::TIME32:
      return arrow::time32(arrow::TimeUnit::MILLI)->Equals(*type)
                 ? type
                 : arrow::time32(arrow::TimeUnit::MILLI);
    case Type::TIMESTAMP: {
      const auto& timestamp = checked_cast<const arrow::TimestampType&>(*type);
      return timestamp.unit() == arrow::TimeUnit::SECOND
                 ? arrow::timestamp(arrow::TimeUnit::MILLI, timestamp.timezone())
                 : type;
    }
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return StorageDecimal(type);
    case Type::DICTIONARY:
      return StorageDictionary(type, place);
    case Type::EXTENSION:
      return StorageExtension(type, place);
    case Type::STRUCT:
      return StorageStruct(type);
    case Type::MAP:
      return StorageMap(type);
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
    case Type::FIXED_SIZE_LIST:
      return StorageList(type);
    default:
      return type;
  }
}

bool CanGiveBackType(const DataType& decoded, const DataType& logical);

bool CanGiveBackDecimal(const DataType& decoded, const DataType& logical) {
  const auto& from = checked_cast<const arrow::DecimalType&>(decoded);
  const auto& to = checked_cast<const arrow::DecimalType&>(logical);
  if (from.precision() == to.precision() && from.scale() == to.scale()) return true;
  const int digits = to.scale() < 0                ? to.precision() - to.scale()
                     : to.scale() > to.precision() ? to.scale()
                                                   : to.precision();
  return from.precision() == digits && from.scale() == std::max(to.scale(), 0);
}

bool CanGiveBackTimestamp(const DataType& decoded, const DataType& logical) {
  const auto& to = checked_cast<const arrow::TimestampType&>(logical);
  if (decoded.id() != Type::TIMESTAMP) return false;
  const auto& from = checked_cast<const arrow::TimestampType&>(decoded);
  const bool same_unit = from.unit() == to.unit();
  const bool whole_seconds =
      from.unit() == arrow::TimeUnit::MILLI && to.unit() == arrow::TimeUnit::SECOND;
  return (same_unit || whole_seconds) && from.timezone().empty() == to.timezone().empty();
}

bool CanGiveBackChildren(const DataType& decoded, const DataType& logical, bool by_name) {
  if (decoded.num_fields() != logical.num_fields()) return false;
  for (int i = 0; i < decoded.num_fields(); ++i) {
    if (by_name && decoded.field(i)->name() != logical.field(i)->name()) return false;
    if (!CanGiveBack(*decoded.field(i), *logical.field(i))) return false;
  }
  return true;
}

bool CanGiveBackNested(const DataType& decoded, const DataType& logical) {
  if (logical.id() == Type::STRUCT) {
    return decoded.id() == Type::STRUCT && CanGiveBackChildren(decoded, logical, /*by_name=*/true);
  }
  if (logical.id() == Type::MAP) {
    // A map's only child is its entries, a struct whose names Parquet does not keep.
    return decoded.id() == Type::MAP &&
           CanGiveBackChildren(*decoded.field(0)->type(), *logical.field(0)->type(),
                               /*by_name=*/false);
  }
  return (decoded.id() == Type::LIST || decoded.id() == Type::LARGE_LIST) &&
         CanGiveBackChildren(decoded, logical, /*by_name=*/false);
}

bool CanGiveBackType(const DataType& decoded, const DataType& logical) {
  if (SameType(decoded, logical)) return true;
  if (decoded.id() == Type::EXTENSION) {
    return CanGiveBackType(*checked_cast<const arrow::ExtensionType&>(decoded).storage_type(),
                           logical);
  }
  switch (logical.id()) {
    case Type::EXTENSION:
      return CanGiveBackType(decoded,
                             *checked_cast<const arrow::ExtensionType&>(logical).storage_type());
    case Type::DICTIONARY: {
      const auto& values = *checked_cast<const arrow::DictionaryType&>(logical).value_type();
      return CanGiveBackType(decoded.id() == Type::DICTIONARY
                                 ? *checked_cast<const arrow::DictionaryType&>(decoded).value_type()
                                 : decoded,
                             values);
    }
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::STRING_VIEW:
      return arrow::is_string_or_string_view(decoded.id());
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::BINARY_VIEW:
      return arrow::is_binary_or_binary_view(decoded.id());
    case Type::FIXED_SIZE_BINARY:
      return decoded.id() == Type::BINARY &&
             checked_cast<const arrow::FixedSizeBinaryType&>(logical).byte_width() == 0;
    case Type::DECIMAL32:
    case Type::DECIMAL64:
    case Type::DECIMAL128:
    case Type::DECIMAL256:
      return arrow::is_decimal(decoded.id()) && CanGiveBackDecimal(decoded, logical);
    case Type::DATE64:
      return decoded.id() == Type::DATE32 ||
             decoded.Equals(*arrow::timestamp(arrow::TimeUnit::MILLI));
    case Type::TIME32:
      // Equal units were equal types, so what is left is seconds out of milliseconds.
      return decoded.Equals(*arrow::time32(arrow::TimeUnit::MILLI));
    case Type::TIMESTAMP:
      return CanGiveBackTimestamp(decoded, logical);
    case Type::DURATION:
      return decoded.id() == Type::INT64;
    case Type::STRUCT:
    case Type::MAP:
    case Type::LIST:
    case Type::LARGE_LIST:
    case Type::LIST_VIEW:
    case Type::LARGE_LIST_VIEW:
    case Type::FIXED_SIZE_LIST:
      return CanGiveBackNested(decoded, logical);
    default:
      return false;
  }
}

}  // namespace

TypePtr StorageType(const TypePtr& logical) { return StorageTypeAt(logical, Place::kColumn); }

FieldPtr StorageField(const FieldPtr& logical) { return StorageFieldAt(logical, Place::kColumn); }

bool CanGiveBack(const Field& decoded, const Field& logical) {
  const bool nulls_fit =
      logical.nullable() || !decoded.nullable() || IsStoredAsNull(*decoded.type());
  return nulls_fit && CanGiveBackType(*decoded.type(), *logical.type());
}

}  // namespace hangar
