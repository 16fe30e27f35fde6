#include "decode/nested_column_decoder.h"

#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>

#include "decode/nested_leaf.h"
#include "decode/nested_levels.h"

namespace hangar {
namespace {

using ArrayDataPtr = std::shared_ptr<arrow::ArrayData>;

arrow::Status Disagreement() {
  return arrow::Status::IOError("the columns of a field disagree on how its rows are nested");
}

class NestedColumnDecoder final : public ColumnDecoder {
 public:
  NestedColumnDecoder(NestedField field, int64_t rows, arrow::MemoryPool* pool)
      : field_(std::move(field)), pool_(pool), rows_left_(rows) {}

  arrow::Status OpenLeaves(std::vector<std::unique_ptr<parquet::PageReader>> pages,
                           std::span<const LeafColumn> columns) {
    leaves_.resize(columns.size());
    return OpenLeavesOf(field_, pages, columns);
  }

  // Only counts: what is skipped may never be needed.
  arrow::Status Skip(int64_t rows) override {
    if (error_.ok()) error_ = TakeRows(rows);
    if (error_.ok()) rows_to_skip_ += rows;
    return error_;
  }

  arrow::Result<arrow::ArrayVector> Decode(int64_t rows) override {
    arrow::ArrayVector arrays;
    if (error_.ok()) error_ = DecodeGuarded(rows, &arrays);
    if (!error_.ok()) return error_;
    return arrays;
  }

 private:
  arrow::Status OpenLeavesOf(const NestedField& field,
                             std::vector<std::unique_ptr<parquet::PageReader>>& pages,
                             std::span<const LeafColumn> columns) {
    for (const NestedField& child : field.children) {
      ARROW_RETURN_NOT_OK(OpenLeavesOf(child, pages, columns));
    }
    if (field.kind != NestedField::Kind::kLeaf) return arrow::Status::OK();
    ARROW_ASSIGN_OR_RAISE(leaves_[field.leaf],
                          NestedLeaf::Make(std::move(pages[field.leaf]), columns[field.leaf], field,
                                           rows_left_, pool_));
    return arrow::Status::OK();
  }

  arrow::Status TakeRows(int64_t rows) {
    if (rows < 0 || rows > rows_left_) {
      return arrow::Status::Invalid("more rows than the row group has");
    }
    rows_left_ -= rows;
    return arrow::Status::OK();
  }

  arrow::Status DecodeGuarded(int64_t rows, arrow::ArrayVector* arrays) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    return DoDecode(rows, arrays);
    END_PARQUET_CATCH_EXCEPTIONS
  }

  arrow::Status DoDecode(int64_t rows, arrow::ArrayVector* arrays) {
    ARROW_RETURN_NOT_OK(TakeRows(rows));
    if (rows == 0) return arrow::Status::OK();
    const int64_t rows_to_skip = std::exchange(rows_to_skip_, 0);
    for (const auto& leaf : leaves_) {
      ARROW_RETURN_NOT_OK(leaf->Skip(rows_to_skip));
      ARROW_RETURN_NOT_OK(leaf->Read(rows));
    }
    ARROW_ASSIGN_OR_RAISE(auto data, Build(field_, rows));
    arrays->push_back(arrow::MakeArray(std::move(data)));
    return arrow::Status::OK();
  }

  // The array of a field with so many slots. From the outermost field on: each one's levels are
  // looked at before those inside of it are finished.
  arrow::Result<ArrayDataPtr> Build(const NestedField& field, int64_t slots) {
    NestedLeaf& leaf = *leaves_[field.leaf];
    if (field.kind == NestedField::Kind::kLeaf) {
      if (leaf.slots() != slots) return Disagreement();
      return leaf.Finish();
    }
    const Levels levels = leaf.levels();
    ARROW_ASSIGN_OR_RAISE(FieldValidity validity, MakeValidity(field, levels, slots, pool_));
    if (field.is_list()) {
      ARROW_ASSIGN_OR_RAISE(ListOffsets offsets, MakeOffsets(field, levels, slots, pool_));
      ARROW_ASSIGN_OR_RAISE(auto items, Build(field.children.front(), offsets.items));
      return arrow::ArrayData::Make(field.type, slots,
                                    {std::move(validity.bits), std::move(offsets.offsets)},
                                    {std::move(items)}, validity.null_count);
    }
    for (const NestedField& child : field.children) {
      if (child.leaf != field.leaf && !AgreeOn(field, levels, leaves_[child.leaf]->levels())) {
        return Disagreement();
      }
    }
    std::vector<ArrayDataPtr> children;
    for (const NestedField& child : field.children) {
      ARROW_ASSIGN_OR_RAISE(auto array, Build(child, slots));
      children.push_back(std::move(array));
    }
    return arrow::ArrayData::Make(field.type, slots, {std::move(validity.bits)},
                                  std::move(children), validity.null_count);
  }

  const NestedField field_;
  arrow::MemoryPool* const pool_;
  std::vector<std::unique_ptr<NestedLeaf>> leaves_;
  arrow::Status error_;       // The first one.
  int64_t rows_left_;         // Rows of the row group that nobody asked for yet.
  int64_t rows_to_skip_ = 0;  // Rows to pass over before the next ones are decoded.
};

}  // namespace

bool CanDecodeNested(const parquet::schema::Node& node, std::span<const LeafColumn> leaves,
                     const std::shared_ptr<arrow::DataType>& type) {
  return MakeNestedField(node, leaves, type).has_value();
}

arrow::Result<std::unique_ptr<ColumnDecoder>> MakeNestedColumnDecoder(
    std::vector<std::unique_ptr<parquet::PageReader>> pages, const parquet::schema::Node& node,
    std::span<const LeafColumn> leaves, const std::shared_ptr<arrow::DataType>& type, int64_t rows,
    arrow::MemoryPool* pool) {
  auto field = MakeNestedField(node, leaves, type);
  if (!field || pages.size() != leaves.size()) {
    return arrow::Status::NotImplemented("decoding this column as ", type->ToString());
  }
  auto decoder = std::make_unique<NestedColumnDecoder>(*std::move(field), rows, pool);
  ARROW_RETURN_NOT_OK(decoder->OpenLeaves(std::move(pages), leaves));
  return decoder;
}

}  // namespace hangar
