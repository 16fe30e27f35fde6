#include "cli/dictionary_merger.h"

#include <utility>

#include <arrow/array.h>
#include <arrow/array/array_dict.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

namespace hangar::cli {

struct DictionaryMerger::Column {
  int index = 0;
  std::shared_ptr<arrow::DataType> type;
  std::unique_ptr<arrow::DictionaryUnifier> unifier;
  // What the last batch brought, and what became of it: batches mostly share their dictionary.
  std::shared_ptr<arrow::Array> last_seen;
  std::shared_ptr<arrow::Array> merged;
  std::shared_ptr<arrow::Buffer> transpose_map;
};

DictionaryMerger::DictionaryMerger(const arrow::Schema& schema) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (schema.field(i)->type()->id() != arrow::Type::DICTIONARY) continue;
    Column column;
    column.index = i;
    column.type = schema.field(i)->type();
    columns_.push_back(std::move(column));
  }
}

DictionaryMerger::~DictionaryMerger() = default;

arrow::Result<std::shared_ptr<arrow::RecordBatch>> DictionaryMerger::Merge(
    const std::shared_ptr<arrow::RecordBatch>& batch) {
  std::shared_ptr<arrow::RecordBatch> out = batch;
  for (Column& column : columns_) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*column.type);
    const auto array =
        std::static_pointer_cast<arrow::DictionaryArray>(batch->column(column.index));
    if (column.unifier == nullptr) {
      ARROW_ASSIGN_OR_RAISE(column.unifier, arrow::DictionaryUnifier::Make(type.value_type()));
    }
    if (column.last_seen == nullptr || !column.last_seen->Equals(array->dictionary())) {
      ARROW_RETURN_NOT_OK(column.unifier->Unify(*array->dictionary(), &column.transpose_map));
      ARROW_RETURN_NOT_OK(
          column.unifier->GetResultWithIndexType(type.index_type(), &column.merged));
      column.last_seen = array->dictionary();
    }
    const auto* map = reinterpret_cast<const int32_t*>(column.transpose_map->data());
    ARROW_ASSIGN_OR_RAISE(auto transposed, array->Transpose(column.type, column.merged, map));
    ARROW_ASSIGN_OR_RAISE(
        out, out->SetColumn(column.index, batch->schema()->field(column.index), transposed));
  }
  return out;
}

}  // namespace hangar::cli
