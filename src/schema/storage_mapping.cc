#include "schema/storage_mapping.h"

#include <string>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/error.h"
#include "base/text.h"
#include "schema/array_conversion.h"
#include "schema/declared_nulls.h"
#include "schema/schema_metadata.h"
#include "schema/storage_type.h"

namespace hangar {
namespace {

using arrow::Result;
using arrow::Status;

Status ColumnError(const Status& status, const arrow::Field& field) {
  if (status.ok() || status.IsOutOfMemory() || HasErrorKind(status)) return status;
  return Error(ErrorKind::kInvalidArgument, "the column {} cannot be stored: {}",
               Quoted(field.name()), status.message());
}

Result<ArrayDataPtr> ColumnToStorage(const std::shared_ptr<arrow::Array>& column,
                                     const arrow::Field& logical, const arrow::Field& storage,
                                     arrow::MemoryPool* pool) {
  if (!column->type()->Equals(*logical.type())) {
    return Status::Invalid("it is of type ", column->type()->ToString(), " in a batch and of type ",
                           logical.type()->ToString(), " in the schema");
  }
  ARROW_ASSIGN_OR_RAISE(ArrayDataPtr data, ToStorageArray(column->data(), storage.type(), pool));
  return KeepDeclaredNulls(std::move(data), storage, pool);
}

}  // namespace

Result<std::shared_ptr<const StorageMapping>> StorageMapping::Make(
    std::shared_ptr<arrow::Schema> logical) {
  ARROW_RETURN_NOT_OK(CheckStorable(*logical));
  logical = logical->WithMetadata(WithoutInternalKeys(logical->metadata()));
  arrow::FieldVector fields;
  for (const auto& field : logical->fields()) fields.push_back(StorageField(field));
  auto storage = arrow::schema(std::move(fields), logical->metadata());
  if (!storage->Equals(*logical, /*check_metadata=*/true)) {
    ARROW_ASSIGN_OR_RAISE(std::string encoded, EncodeSchema(*logical));
    storage =
        storage->WithMetadata(WithKey(storage->metadata(), kLogicalSchemaKey, std::move(encoded)));
  }
  return std::shared_ptr<const StorageMapping>(
      new StorageMapping(std::move(logical), std::move(storage)));
}

Result<std::shared_ptr<arrow::RecordBatch>> StorageMapping::ToStorage(
    const std::shared_ptr<arrow::RecordBatch>& batch, arrow::MemoryPool* pool) const {
  if (batch->num_columns() != logical_->num_fields()) {
    return Error(ErrorKind::kInvalidArgument,
                 "a batch has {} columns where the schema has {}; all batches of an upload must be"
                 " of its schema",
                 batch->num_columns(), logical_->num_fields());
  }
  if (batch->num_columns() == 0 && batch->num_rows() > 0) {
    return Error(ErrorKind::kInvalidArgument,
                 "rows without any column cannot be stored; add a column");
  }
  std::vector<ArrayDataPtr> columns;
  columns.reserve(static_cast<size_t>(batch->num_columns()));
  for (int i = 0; i < batch->num_columns(); ++i) {
    const arrow::Field& field = *logical_->field(i);
    Result<ArrayDataPtr> column =
        ColumnToStorage(batch->column(i), field, *storage_->field(i), pool);
    if (!column.ok()) return ColumnError(column.status(), field);
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(storage_, batch->num_rows(), std::move(columns));
}

namespace {

Status StoredError(const Status& status, const std::string& what) {
  if (status.ok() || status.IsOutOfMemory() || status.IsCapacityError() || HasErrorKind(status)) {
    return status;
  }
  return Error(ErrorKind::kDataLoss, "{} does not hold what its schema says: {}", what,
               status.message());
}

Result<std::shared_ptr<arrow::RecordBatch>> ToLogicalBatch(
    const arrow::RecordBatch& decoded, const std::shared_ptr<arrow::Schema>& schema,
    arrow::MemoryPool* pool) {
  arrow::ArrayVector columns;
  for (int i = 0; i < decoded.num_columns(); ++i) {
    Result<std::shared_ptr<arrow::Array>> column =
        ToLogical(decoded.column(i), schema->field(i)->type(), pool);
    if (!column.ok()) return column.status();
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(schema, decoded.num_rows(), std::move(columns));
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> ToLogical(
    const std::shared_ptr<arrow::Array>& decoded,
    const std::shared_ptr<arrow::DataType>& logical_type, arrow::MemoryPool* pool) {
  if (decoded->type()->Equals(*logical_type, /*check_metadata=*/true)) return decoded;
  Result<ArrayDataPtr> data = ToLogicalArray(decoded->data(), logical_type, pool);
  if (!data.ok()) return StoredError(data.status(), "a stored column");
  return arrow::MakeArray(*data);
}

Result<arrow::RecordBatchVector> ToLogicalBatches(
    const std::shared_ptr<arrow::RecordBatch>& decoded,
    const std::shared_ptr<arrow::Schema>& schema, arrow::MemoryPool* pool) {
  arrow::RecordBatchVector batches;
  // What is still to be converted, the next one last.
  arrow::RecordBatchVector pending = {decoded};
  while (!pending.empty()) {
    const std::shared_ptr<arrow::RecordBatch> next = std::move(pending.back());
    pending.pop_back();
    Result<std::shared_ptr<arrow::RecordBatch>> batch = ToLogicalBatch(*next, schema, pool);
    if (batch.ok()) {
      batches.push_back(*std::move(batch));
    } else if (batch.status().IsCapacityError() && next->num_rows() > 1) {
      const int64_t half = next->num_rows() / 2;
      pending.push_back(next->Slice(half));
      pending.push_back(next->Slice(0, half));
    } else if (batch.status().IsCapacityError()) {
      return Error(ErrorKind::kDataLoss, "a stored row does not hold what its schema says: {}",
                   batch.status().message());
    } else {
      return batch.status();
    }
  }
  return batches;
}

}  // namespace hangar
