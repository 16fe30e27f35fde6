#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <arrow/type_fwd.h>

namespace parquet {
class ColumnChunkMetaData;
class ColumnDescriptor;
}  // namespace parquet
namespace parquet::schema {
class Node;
}

namespace hangar {

/// A Parquet column, and its chunk in one row group.
struct LeafColumn {
  const parquet::ColumnDescriptor* column = nullptr;
  const parquet::ColumnChunkMetaData* chunk = nullptr;
};

/// A field of a nested column: what its array is made of, and by which levels. Levels are those of
/// the Dremel paper, https://research.google/pubs/pub36632/, as Parquet counts them.
struct NestedField {
  enum class Kind { kLeaf, kStruct, kList, kLargeList };

  Kind kind = Kind::kLeaf;
  std::shared_ptr<arrow::DataType> type;
  bool nullable = false;
  /// A level stands for a slot of this field if its definition is at least this, and its repetition
  /// at most `slot_repetition`. Otherwise it says that a list around the field has no items there,
  /// or continues a list inside of it.
  int slot_definition = 0;
  int slot_repetition = 0;
  /// A slot is valid from this definition on.
  int valid_definition = 0;
  /// Of the leaves in it, the one with the fewest levels: it says what this field looks like.
  size_t leaf = 0;
  /// A leaf: for each list around it from the outermost on, the definition from which on it has
  /// items. As many as the column has repetition levels.
  std::vector<uint8_t> item_definitions;
  std::vector<NestedField> children;

  bool is_list() const { return kind == Kind::kList || kind == Kind::kLargeList; }
};

/// The top-level field `node`, with `leaves` in it in their order, as `type`: structs, lists and
/// maps of leaves that CanDecodeValues accepts. None where it is made of anything else, or is not
/// what Arrow's reader makes `type` of.
std::optional<NestedField> MakeNestedField(const parquet::schema::Node& node,
                                           std::span<const LeafColumn> leaves,
                                           const std::shared_ptr<arrow::DataType>& type);

}  // namespace hangar
