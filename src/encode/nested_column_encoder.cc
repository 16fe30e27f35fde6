#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_run_reader.h>
#include <parquet/schema.h>

#include "encode/column_encoder.h"
#include "encode/hybrid_encoding.h"
#include "encode/leaf_chunk.h"
#include "encode/leaf_values.h"

namespace hangar {
namespace {

// Rows are taken so many at a time, and fewer where they are large.
constexpr int64_t kPieceRows = 1024;

// One field on the way from the column to a leaf, with the array in hand.
struct Node {
  enum class Kind { kStruct, kList, kLargeList, kLeaf };
  Kind kind = Kind::kLeaf;
  bool is_nullable = false;
  uint8_t repetition = 0;  // The lists above it: the repetition level of all its items but firsts.
  const arrow::ArrayData* array = nullptr;
  bool has_nulls = false;

  int64_t ListBegin(int64_t i) const {
    return kind == Kind::kList ? array->GetValues<int32_t>(1)[i] : array->GetValues<int64_t>(1)[i];
  }
};

// Definition and repetition levels (https://github.com/julienledem/redelm/wiki/The-striping-and-
// assembly-algorithms-from-the-Dremel-paper) of one leaf, and its values.
class LeafEncoder {
 public:
  LeafEncoder(std::vector<Node> path, std::unique_ptr<LeafChunk> chunk)
      : path_(std::move(path)),
        chunk_(std::move(chunk)),
        definition_max_(static_cast<uint8_t>(chunk_->plan().column->max_definition_level())),
        repetition_max_(static_cast<uint8_t>(chunk_->plan().column->max_repetition_level())) {}

  // `arrays` are those of the path's nodes.
  arrow::Status Append(const std::vector<const arrow::ArrayData*>& arrays) {
    for (size_t i = 0; i < path_.size(); ++i) {
      path_[i].array = arrays[i];
      path_[i].has_nulls = path_[i].is_nullable && arrays[i]->GetNullCount() > 0;
    }
    const int64_t length = arrays.front()->length;
    const arrow::ArrayData& leaf = *arrays.back();
    const int64_t row_bytes = std::max<int64_t>(
        leaf.length * chunk_->values().RowBytes(leaf) / std::max<int64_t>(length, 1), 1);
    const int64_t page_bytes = chunk_->plan().page_bytes;
    if (page_rows_ == 0) page_rows_ = PageRows(page_bytes, row_bytes);
    const int64_t piece_rows = std::clamp<int64_t>(page_bytes / row_bytes, 1, kPieceRows);
    for (int64_t row = 0; row < length;) {
      const int64_t rows = std::min({piece_rows, page_rows_ - rows_, length - row});
      ARROW_RETURN_NOT_OK(Walk(0, row, row + rows, 0, 0));
      row += rows;
      rows_ += rows;
      // A few long rows may fill a page before its rows do.
      const bool is_full =
          static_cast<int64_t>(definitions_.size()) > page_bytes || chunk_->values().IsFull();
      if (rows_ == page_rows_ || is_full) ARROW_RETURN_NOT_OK(FinishPage());
    }
    return arrow::Status::OK();
  }

  arrow::Result<EncodedChunk> Finish() {
    if (rows_ > 0) ARROW_RETURN_NOT_OK(FinishPage());
    return chunk_->Finish();
  }

 private:
  // Items [begin, end) of a node; what is above them is there, up to the level `definition`. The
  // first one's repetition level is `repetition`.
  arrow::Status Walk(size_t depth, int64_t begin, int64_t end, uint8_t repetition,
                     uint8_t definition) {
    const Node& node = path_[depth];
    if (!node.has_nulls) {
      return WalkValid(depth, begin, end, repetition,
                       static_cast<uint8_t>(definition + (node.is_nullable ? 1 : 0)));
    }
    if (node.kind == Node::Kind::kLeaf) {
      return AppendLeaf(node, begin, end, repetition, definition);
    }
    const uint8_t* validity = node.array->buffers[0]->data();
    arrow::internal::BitRunReader runs(validity, node.array->offset + begin, end - begin);
    while (begin < end) {
      const arrow::internal::BitRun run = runs.NextRun();
      if (run.set) {
        ARROW_RETURN_NOT_OK(WalkValid(depth, begin, begin + run.length, repetition,
                                      static_cast<uint8_t>(definition + 1)));
      } else {
        AppendLevels(run.length, repetition, node.repetition, definition);
      }
      repetition = node.repetition;
      begin += run.length;
    }
    return arrow::Status::OK();
  }

  // As Walk, for items that are not null.
  arrow::Status WalkValid(size_t depth, int64_t begin, int64_t end, uint8_t repetition,
                          uint8_t definition) {
    const Node& node = path_[depth];
    switch (node.kind) {
      case Node::Kind::kLeaf:
        AppendLevels(end - begin, repetition, node.repetition, definition);
        return AppendValues(begin, end, /*nulls=*/0);
      case Node::Kind::kStruct: {
        // A struct's children have offsets of their own, from which they are sliced by its own.
        const int64_t offset = node.array->offset;
        return Walk(depth + 1, offset + begin, offset + end, repetition, definition);
      }
      default:
        return WalkLists(depth, begin, end, repetition, definition);
    }
  }

  arrow::Status WalkLists(size_t depth, int64_t begin, int64_t end, uint8_t repetition,
                          uint8_t definition) {
    const Node& node = path_[depth];
    const auto inside = static_cast<uint8_t>(definition + 1);
    const size_t flat_depth = DepthOfFlatLeaf(depth + 1);
    const int64_t items_begin = node.ListBegin(begin);
    const int64_t items_end = node.ListBegin(end);
    int64_t from = items_begin;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t to = node.ListBegin(i + 1);
      if (from == to) {
        AppendLevels(1, repetition, repetition, definition);
      } else if (flat_depth > 0) {
        AppendLevels(to - from, repetition, path_.back().repetition, definition_max_);
      } else {
        ARROW_RETURN_NOT_OK(Walk(depth + 1, from, to, repetition, inside));
      }
      repetition = node.repetition;
      from = to;
    }
    if (flat_depth == 0) return arrow::Status::OK();
    const int64_t shift = ShiftTo(depth + 1);
    return AppendValues(items_begin + shift, items_end + shift, /*nulls=*/0);
  }

  // The leaf's depth when from `depth` on there are only structs and the leaf, without nulls: then
  // all items of many lists are one range of values. Else 0.
  size_t DepthOfFlatLeaf(size_t depth) const {
    for (; depth < path_.size(); ++depth) {
      if (path_[depth].has_nulls) return 0;
      if (path_[depth].kind == Node::Kind::kLeaf) return depth;
      if (path_[depth].kind != Node::Kind::kStruct) return 0;
    }
    return 0;
  }

  // From an index of the node at `depth` to one of the leaf, through structs.
  int64_t ShiftTo(size_t depth) const {
    int64_t shift = 0;
    for (; path_[depth].kind == Node::Kind::kStruct; ++depth) shift += path_[depth].array->offset;
    return shift;
  }

  // A leaf some of whose items may be null.
  arrow::Status AppendLeaf(const Node& node, int64_t begin, int64_t end, uint8_t repetition,
                           uint8_t definition) {
    const uint8_t* validity = node.array->buffers[0]->data();
    const size_t first = definitions_.size();
    AppendLevels(end - begin, repetition, node.repetition, definition);
    int64_t valid = 0;
    for (int64_t i = begin; i < end; ++i) {
      const bool is_valid = BitAt(validity, node.array->offset + i);
      definitions_[first + static_cast<size_t>(i - begin)] += is_valid ? 1 : 0;
      valid += is_valid ? 1 : 0;
    }
    return AppendValues(begin, end, end - begin - valid);
  }

  arrow::Status AppendValues(int64_t begin, int64_t end, int64_t nulls) {
    values_ += end - begin - nulls;
    if (begin == end) return arrow::Status::OK();
    return chunk_->values().Append(*path_.back().array, begin, end - begin, nulls);
  }

  void AppendLevels(int64_t count, uint8_t first_repetition, uint8_t repetition,
                    uint8_t definition) {
    const auto before = definitions_.size();
    definitions_.resize(before + static_cast<size_t>(count), definition);
    if (repetition_max_ == 0) return;
    repetitions_.resize(before + static_cast<size_t>(count), repetition);
    repetitions_[before] = first_repetition;
  }

  // Appends levels as a page holds them, and gives how often each comes.
  std::vector<int64_t> EncodeLevels(const std::vector<uint8_t>& levels, uint8_t max) {
    if (max == 0) return {};
    std::vector<int64_t> histogram(static_cast<size_t>(max) + 1);
    wide_.assign(levels.begin(), levels.end());
    for (const uint8_t level : levels) ++histogram[level];
    const size_t begin = encoded_.size();
    encoded_.resize(begin + sizeof(uint32_t));
    AppendHybrid(wide_.data(), static_cast<int64_t>(wide_.size()), BitWidth(max), &encoded_);
    const auto length = static_cast<uint32_t>(encoded_.size() - begin - sizeof(uint32_t));
    std::memcpy(encoded_.data() + begin, &length, sizeof(length));
    return histogram;
  }

  arrow::Status FinishPage() {
    encoded_.clear();
    const auto count = static_cast<int64_t>(definitions_.size());
    LeafChunk::PageLevels levels{.count = count,
                                 .rows = std::exchange(rows_, 0),
                                 .nulls = count - std::exchange(values_, 0)};
    levels.repetition_histogram = EncodeLevels(repetitions_, repetition_max_);
    levels.definition_histogram = EncodeLevels(definitions_, definition_max_);
    levels.encoded = encoded_;
    definitions_.clear();
    repetitions_.clear();
    return chunk_->FinishPage(std::move(levels));
  }

  std::vector<Node> path_;
  const std::unique_ptr<LeafChunk> chunk_;
  const uint8_t definition_max_;
  const uint8_t repetition_max_;
  int64_t page_rows_ = 0;  // Of every page; 0 until the first values were seen.
  // Of the open page.
  int64_t rows_ = 0;
  int64_t values_ = 0;
  std::vector<uint8_t> definitions_;
  std::vector<uint8_t> repetitions_;
  // Reused from page to page.
  std::vector<uint32_t> wide_;
  std::vector<uint8_t> encoded_;
};

Node::Kind KindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return Node::Kind::kStruct;
    case arrow::Type::LIST:
    case arrow::Type::MAP:
      return Node::Kind::kList;
    case arrow::Type::LARGE_LIST:
      return Node::Kind::kLargeList;
    default:
      return Node::Kind::kLeaf;
  }
}

// Calls `visit` with the path to each leaf, in the order of Parquet's columns.
template <typename Visit>
arrow::Status VisitPaths(const arrow::Field& field, std::vector<Node>* path, const Visit& visit) {
  const arrow::DataType& type = *field.type();
  uint8_t repetition = 0;
  if (!path->empty()) {
    const Node& parent = path->back();
    const bool is_item = parent.kind == Node::Kind::kList || parent.kind == Node::Kind::kLargeList;
    repetition = static_cast<uint8_t>(parent.repetition + (is_item ? 1 : 0));
  }
  path->push_back(
      {.kind = KindOf(type), .is_nullable = field.nullable(), .repetition = repetition});
  if (path->back().kind == Node::Kind::kLeaf) {
    ARROW_RETURN_NOT_OK(visit(*path, type));
  } else {
    for (const auto& child : type.fields()) {
      ARROW_RETURN_NOT_OK(VisitPaths(*child, path, visit));
    }
  }
  path->pop_back();
  return arrow::Status::OK();
}

class NestedColumnEncoder final : public ColumnEncoder {
 public:
  explicit NestedColumnEncoder(std::vector<std::unique_ptr<LeafEncoder>> leaves)
      : leaves_(std::move(leaves)) {}

  arrow::Status Append(const std::shared_ptr<arrow::Array>& stored) override {
    std::vector<const arrow::ArrayData*> path;
    size_t leaf = 0;
    return AppendBelow(*stored->data(), &path, &leaf);
  }

  arrow::Result<std::vector<EncodedChunk>> FinishRowGroup() override {
    std::vector<EncodedChunk> chunks;
    for (const auto& leaf : leaves_) {
      ARROW_ASSIGN_OR_RAISE(auto chunk, leaf->Finish());
      chunks.push_back(std::move(chunk));
    }
    return chunks;
  }

 private:
  arrow::Status AppendBelow(const arrow::ArrayData& array,
                            std::vector<const arrow::ArrayData*>* path, size_t* leaf) {
    path->push_back(&array);
    if (array.child_data.empty()) ARROW_RETURN_NOT_OK(leaves_[(*leaf)++]->Append(*path));
    for (const auto& child : array.child_data) {
      ARROW_RETURN_NOT_OK(AppendBelow(*child, path, leaf));
    }
    path->pop_back();
    return arrow::Status::OK();
  }

  const std::vector<std::unique_ptr<LeafEncoder>> leaves_;
};

}  // namespace

bool IsNestedOfFlat(const arrow::DataType& storage_type) {
  if (KindOf(storage_type) == Node::Kind::kLeaf) return IsFlat(storage_type);
  return std::ranges::all_of(storage_type.fields(),
                             [](const auto& field) { return IsNestedOfFlat(*field->type()); });
}

arrow::Result<std::unique_ptr<ColumnEncoder>> MakeNestedColumnEncoder(
    const std::vector<LeafPlan>& plans, const std::shared_ptr<arrow::Field>& field,
    arrow::MemoryPool* pool) {
  std::vector<std::unique_ptr<LeafEncoder>> leaves;
  std::vector<Node> path;
  const auto add = [&](const std::vector<Node>& found, const arrow::DataType& type) {
    ARROW_ASSIGN_OR_RAISE(auto chunk, LeafChunk::Make(plans[leaves.size()], type, pool));
    leaves.push_back(std::make_unique<LeafEncoder>(found, std::move(chunk)));
    return arrow::Status::OK();
  };
  ARROW_RETURN_NOT_OK(VisitPaths(*field, &path, add));
  return std::make_unique<NestedColumnEncoder>(std::move(leaves));
}

}  // namespace hangar
