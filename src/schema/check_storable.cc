#include <algorithm>
#include <string>
#include <string_view>

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <arrow/util/checked_cast.h>

#include "base/error.h"
#include "base/text.h"
#include "schema/storage_mapping.h"

namespace hangar {
namespace {

using arrow::DataType;
using arrow::Status;
using arrow::Type;
using arrow::internal::checked_cast;

// Walks the fields of a schema. `path` names the field that is looked at, `type` is its type or one
// that stands behind it (an extension's storage, a dictionary's values).
class StorableCheck {
 public:
  Status Field(const arrow::Field& field, const std::string& path, int level) {
    if (++fields_ > kSchemaFieldsMax) {
      return Error(ErrorKind::kInvalidArgument, "the schema has more than {} fields",
                   kSchemaFieldsMax);
    }
    // Clients decode names as the UTF-8 that the format promises, and fail on the whole schema.
    if (!IsValidUtf8(field.name())) {
      return Error(ErrorKind::kInvalidArgument, "the name of the field {} is not valid UTF-8",
                   Quoted(path));
    }
    return Visit(*field.type(), path, level);
  }

 private:
  Status Refuse(const DataType& type, const std::string& path, std::string_view why) {
    return Error(ErrorKind::kInvalidArgument,
                 "the field {} of type {} cannot be stored: {}; convert it or leave it out",
                 Quoted(path), Quoted(type.ToString()), why);
  }

  Status Visit(const DataType& type, const std::string& path, int level) {
    if (level > kSchemaNestingMax) {
      return Error(ErrorKind::kInvalidArgument, "the field {} is nested more than {} levels deep",
                   Quoted(path), kSchemaNestingMax);
    }
    switch (type.id()) {
      case Type::EXTENSION:
        return Visit(*checked_cast<const arrow::ExtensionType&>(type).storage_type(), path,
                     level + 1);
      case Type::DICTIONARY:
        return Dictionary(type, path, level);
      case Type::STRUCT:
        return Struct(type, path, level);
      case Type::MAP:
        return Map(type, path, level);
      case Type::LIST:
      case Type::LARGE_LIST:
      case Type::LIST_VIEW:
      case Type::LARGE_LIST_VIEW:
      case Type::FIXED_SIZE_LIST:
        return Field(*type.field(0), path + "[]", level + 1);
      case Type::DECIMAL32:
      case Type::DECIMAL64:
      case Type::DECIMAL128:
      case Type::DECIMAL256:
        return Decimal(type, path);
      default:
        return Leaf(type, path);
    }
  }

  Status Dictionary(const DataType& type, const std::string& path, int level) {
    const DataType& values = *checked_cast<const arrow::DictionaryType&>(type).value_type();
    if (values.id() == Type::EXTENSION || values.id() == Type::DICTIONARY) {
      return Refuse(type, path,
                    "Arrow's own format has no dictionaries of extension types or of dictionaries");
    }
    return Visit(values, path, level + 1);
  }

  Status Struct(const DataType& type, const std::string& path, int level) {
    if (type.num_fields() == 0) return Refuse(type, path, "Parquet has no structs without fields");
    for (const auto& child : type.fields()) {
      ARROW_RETURN_NOT_OK(Field(*child, path + "." + child->name(), level + 1));
    }
    return Status::OK();
  }

  Status Map(const DataType& type, const std::string& path, int level) {
    const auto& map = checked_cast<const arrow::MapType&>(type);
    if (IsNull(*map.key_type())) return Refuse(type, path, "the keys of a map cannot be null");
    ARROW_RETURN_NOT_OK(Field(*map.key_field(), path + ".key", level + 1));
    return Field(*map.item_field(), path + ".value", level + 1);
  }

  Status Decimal(const DataType& type, const std::string& path) {
    const auto& decimal = checked_cast<const arrow::DecimalType&>(type);
    const int64_t digits = decimal.scale() < 0 ? int64_t{decimal.precision()} - decimal.scale()
                                               : std::max(decimal.precision(), decimal.scale());
    if (digits > arrow::Decimal256Type::kMaxPrecision) {
      return Refuse(type, path, "written out it has more than 76 digits");
    }
    return Status::OK();
  }

  Status Leaf(const DataType& type, const std::string& path) {
    switch (type.id()) {
      case Type::SPARSE_UNION:
      case Type::DENSE_UNION:
        return Refuse(type, path, "Parquet has no unions");
      case Type::RUN_END_ENCODED:
        return Refuse(type, path, "Parquet has no run-end encoded columns");
      case Type::INTERVAL_MONTHS:
      case Type::INTERVAL_DAY_TIME:
      case Type::INTERVAL_MONTH_DAY_NANO:
        return Refuse(type, path, "Parquet has no intervals of this kind");
      default:
        break;
    }
    // Types that a later Arrow adds are refused until they have been looked at.
    const bool known = type.id() == Type::NA || arrow::is_primitive(type.id()) ||
                       arrow::is_base_binary_like(type.id()) ||
                       arrow::is_binary_view_like(type.id()) ||
                       type.id() == Type::FIXED_SIZE_BINARY;
    return known ? Status::OK() : Refuse(type, path, "Hangar does not know how");
  }

  static bool IsNull(const DataType& type) {
    switch (type.id()) {
      case Type::EXTENSION:
        return IsNull(*checked_cast<const arrow::ExtensionType&>(type).storage_type());
      case Type::DICTIONARY:
        return IsNull(*checked_cast<const arrow::DictionaryType&>(type).value_type());
      default:
        return type.id() == Type::NA;
    }
  }

  int fields_ = 0;
};

}  // namespace

Status CheckStorable(const arrow::Schema& schema) {
  StorableCheck check;
  for (const auto& field : schema.fields()) {
    ARROW_RETURN_NOT_OK(check.Field(*field, field->name(), 1));
  }
  return Status::OK();
}

}  // namespace hangar
