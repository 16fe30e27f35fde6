#include "decode/nested_field.h"

#include <algorithm>
#include <string>
#include <utility>

#include <arrow/type.h>
#include <arrow/util/checked_cast.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include "decode/make_column_values.h"

namespace hangar {
namespace {

using arrow::internal::checked_cast;
using parquet::schema::GroupNode;
using parquet::schema::Node;

// Levels are compared in bytes, some of them as signed ones.
constexpr int kLevelMax = 127;

// The levels of a place in the schema.
struct Place {
  int definition = 0;
  int slot_definition = 0;
  std::vector<uint8_t> item_definitions;

  int repetition() const { return static_cast<int>(item_definitions.size()); }
};

// Walks the Parquet schema and the Arrow type side by side. What becomes of which Parquet nodes is
// decided by the same rules as in Arrow's reader, as far as they are followed here:
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types
class FieldMaker {
 public:
  explicit FieldMaker(std::span<const LeafColumn> leaves) : leaves_(leaves) {}

  // `place` is where the node's parent is.
  std::optional<NestedField> Make(const Node& node, const std::shared_ptr<arrow::DataType>& type,
                                  Place place) {
    if (node.is_repeated()) return std::nullopt;
    if (node.is_optional()) ++place.definition;
    return MakeSlots(node, type, place, node.is_optional());
  }

  bool took_all_leaves() const { return next_leaf_ == leaves_.size(); }

 private:
  // `place` is where the node itself is.
  std::optional<NestedField> MakeSlots(const Node& node,
                                       const std::shared_ptr<arrow::DataType>& type,
                                       const Place& place, bool nullable) {
    if (place.definition > kLevelMax) return std::nullopt;
    NestedField field{.type = type,
                      .nullable = nullable,
                      .slot_definition = place.slot_definition,
                      .slot_repetition = place.repetition(),
                      .valid_definition = place.definition};
    bool made = false;
    if (node.is_primitive()) {
      made = MakeLeaf(node, place, &field);
    } else {
      const auto& group = checked_cast<const GroupNode&>(node);
      const auto& logical = group.logical_type();
      if (logical->is_list()) {
        made = MakeList(group, place, &field);
      } else if (logical->is_map()) {
        made = MakeMap(group, place, &field);
      } else if (logical->is_none()) {
        made = MakeStruct(group, place, &field);
      }
    }
    if (!made) return std::nullopt;
    return field;
  }

  bool MakeLeaf(const Node& node, const Place& place, NestedField* field) {
    if (next_leaf_ == leaves_.size()) return false;
    const LeafColumn& leaf = leaves_[next_leaf_];
    field->kind = NestedField::Kind::kLeaf;
    field->leaf = next_leaf_++;
    field->item_definitions = place.item_definitions;
    return leaf.column->schema_node().get() == &node &&
           leaf.column->max_definition_level() == place.definition &&
           leaf.column->max_repetition_level() == place.repetition() &&
           CanDecodeValues(*leaf.column, *leaf.chunk, *field->type);
  }

  bool MakeStruct(const GroupNode& group, const Place& place, NestedField* field) {
    const arrow::DataType& type = *field->type;
    if (type.id() != arrow::Type::STRUCT || type.num_fields() != group.field_count()) return false;
    field->kind = NestedField::Kind::kStruct;
    for (int i = 0; i < group.field_count(); ++i) {
      const Node& node = *group.field(i);
      if (type.field(i)->nullable() != node.is_optional()) return false;
      if (!AddChild(Make(node, type.field(i)->type(), place), field)) return false;
    }
    return !field->children.empty();
  }

  bool MakeList(const GroupNode& group, const Place& place, NestedField* field) {
    if (field->type->id() == arrow::Type::LIST) {
      field->kind = NestedField::Kind::kList;
    } else if (field->type->id() == arrow::Type::LARGE_LIST) {
      field->kind = NestedField::Kind::kLargeList;
    } else {
      return false;
    }
    if (group.field_count() != 1 || !group.field(0)->is_repeated()) return false;
    const Node& repeated = *group.field(0);
    const Place items = InsideOf(place);
    const arrow::Field& item = *field->type->field(0);
    // In files of old the repeated node is the item itself.
    if (repeated.is_primitive() || IsItem(checked_cast<const GroupNode&>(repeated), group)) {
      return !item.nullable() && AddChild(MakeSlots(repeated, item.type(), items, false), field);
    }
    const auto& repeated_group = checked_cast<const GroupNode&>(repeated);
    if (repeated_group.field_count() != 1 || !repeated_group.logical_type()->is_none()) {
      return false;
    }
    const Node& node = *repeated_group.field(0);
    return item.nullable() == node.is_optional() && AddChild(Make(node, item.type(), items), field);
  }

  bool MakeMap(const GroupNode& group, const Place& place, NestedField* field) {
    if (field->type->id() != arrow::Type::MAP || group.field_count() != 1) return false;
    const Node& repeated = *group.field(0);
    if (!repeated.is_repeated() || !repeated.is_group()) return false;
    const auto& entries = checked_cast<const GroupNode&>(repeated);
    const arrow::Field& entry = *field->type->field(0);
    if (entries.field_count() != 2 || !entries.field(0)->is_required() || entry.nullable()) {
      return false;
    }
    field->kind = NestedField::Kind::kList;
    const Place items = InsideOf(place);
    NestedField pairs{.type = entry.type(),
                      .nullable = false,
                      .slot_definition = items.slot_definition,
                      .slot_repetition = items.repetition(),
                      .valid_definition = items.definition};
    if (!MakeStruct(entries, items, &pairs)) return false;
    return AddChild(std::move(pairs), field);
  }

  // Whether a list's repeated group is a struct, not what stands around an item.
  static bool IsItem(const GroupNode& repeated, const GroupNode& list) {
    if (!repeated.logical_type()->is_none()) return false;
    return repeated.field_count() > 1 || repeated.name() == "array" ||
           repeated.name() == list.name() + "_tuple";
  }

  static Place InsideOf(Place list) {
    ++list.definition;
    list.slot_definition = list.definition;
    list.item_definitions.push_back(static_cast<uint8_t>(list.definition));
    return list;
  }

  bool AddChild(std::optional<NestedField> child, NestedField* field) const {
    if (!child) return false;
    const auto levels = [&](size_t leaf) { return leaves_[leaf].column->max_repetition_level(); };
    if (field->children.empty() || levels(child->leaf) < levels(field->leaf)) {
      field->leaf = child->leaf;
    }
    field->children.push_back(*std::move(child));
    return true;
  }

  const std::span<const LeafColumn> leaves_;
  size_t next_leaf_ = 0;
};

}  // namespace

std::optional<NestedField> MakeNestedField(const parquet::schema::Node& node,
                                           std::span<const LeafColumn> leaves,
                                           const std::shared_ptr<arrow::DataType>& type) {
  FieldMaker maker(leaves);
  auto field = maker.Make(node, type, {});
  if (!maker.took_all_leaves()) return std::nullopt;
  return field;
}

}  // namespace hangar
