#include "service/dataset_check.h"

#include <format>
#include <utility>

#include <arrow/record_batch.h>

#include "base/error.h"

namespace hangar {
namespace {

// What is wrong with the file, as against what is wrong with the moment.
bool IsOfTheFile(const arrow::Status& status) {
  const ErrorKind kind = KindOf(status);
  return kind == ErrorKind::kDataLoss || kind == ErrorKind::kUnimplemented ||
         kind == ErrorKind::kInternal || kind == ErrorKind::kPermissionDenied ||
         kind == ErrorKind::kInvalidArgument;
}

std::string SentenceOf(const arrow::Status& status) {
  return HasErrorKind(status) ? status.message() : "it cannot be read";
}

}  // namespace

arrow::Result<std::unique_ptr<DatasetCheck>> DatasetCheck::Make(
    ObjectStore* store, Catalog* catalog, Scan scan, Admits admits,
    const std::optional<DatasetName>& name, Caller caller) {
  std::unique_ptr<DatasetCheck> check(
      new DatasetCheck(catalog, std::move(scan), std::move(admits), std::move(caller)));
  if (name) {
    ARROW_ASSIGN_OR_RAISE(check->one_, store->Stat(name->value()));
  } else {
    ARROW_ASSIGN_OR_RAISE(check->all_, store->List({}));
  }
  return check;
}

arrow::Result<std::optional<CheckedDataset>> DatasetCheck::Next() {
  for (;;) {
    if (caller_.IsGone()) return CallerIsGone();
    std::optional<ObjectInfo> object;
    if (all_ != nullptr) {
      ARROW_ASSIGN_OR_RAISE(object, all_->Next());
    } else {
      object = std::exchange(one_, std::nullopt);
    }
    if (!object) return std::nullopt;
    if (all_ != nullptr && !admits_(object->key)) continue;
    ARROW_ASSIGN_OR_RAISE(auto checked, Check(*object));
    if (checked) return checked;
  }
}

arrow::Result<std::optional<CheckedDataset>> DatasetCheck::Check(const ObjectInfo& object) {
  CheckedDataset checked{
      .name = object.key, .version = object.version, .bytes = object.size_bytes, .problem = {}};
  const auto name = DatasetName::Parse(object.key);
  if (!name.ok()) {
    checked.problem = SentenceOf(name.status());
    return checked;
  }
  auto snapshot = catalog_->Open(*name, std::nullopt);
  if (KindOf(snapshot.status()) == ErrorKind::kNotFound) return std::nullopt;
  arrow::Status status = snapshot.status();
  if (snapshot.ok()) {
    checked.version = snapshot->snapshot.object.version;
    checked.bytes = snapshot->snapshot.object.size_bytes;
    status = Read(*std::move(snapshot), checked);
  }
  if (status.ok()) return checked;
  if (!IsOfTheFile(status)) return status;
  checked.problem = SentenceOf(status);
  return checked;
}

arrow::Status DatasetCheck::Read(OpenSnapshot snapshot, CheckedDataset& checked) {
  checked.rows = snapshot.snapshot.footer->rows;
  ARROW_ASSIGN_OR_RAISE(const auto stream, scan_(std::move(snapshot)));
  int64_t rows = 0;
  for (;;) {
    if (caller_.IsGone()) return CallerIsGone();
    std::shared_ptr<arrow::RecordBatch> batch;
    ARROW_RETURN_NOT_OK(stream->ReadNext(&batch));
    if (batch == nullptr) break;
    rows += batch->num_rows();
  }
  if (rows != checked.rows) {
    checked.problem = std::format("its footer says {} rows, and there are {}", checked.rows, rows);
  }
  return arrow::Status::OK();
}

}  // namespace hangar
