#include "text/row_text.h"

#include <string_view>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "text/value_text.h"

namespace hangar {
namespace {

using ValueWriters = std::vector<std::unique_ptr<ValueWriter>>;

arrow::Result<ValueWriters> WritersOf(const arrow::RecordBatch& batch, TextStyle style) {
  ValueWriters writers;
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(auto writer, MakeValueWriter(column, style));
    writers.push_back(std::move(writer));
  }
  return writers;
}

class JsonLinesText final : public RowText {
 public:
  explicit JsonLinesText(const arrow::Schema& schema) {
    for (const auto& field : schema.fields()) {
      std::string name;
      AppendJsonString(field->name(), &name);
      names_.push_back(name + ":");
    }
  }

  void AppendHeader(std::string*) const override {}

  arrow::Status SetBatch(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    return WritersOf(*batch, TextStyle::kJson).Value(&writers_);
  }

  void AppendRow(int64_t row, std::string* out) const override {
    *out += '{';
    for (size_t i = 0; i < writers_.size(); ++i) {
      if (i > 0) *out += ',';
      *out += names_[i];
      writers_[i]->Append(row, out);
    }
    *out += "}\n";
  }

 private:
  std::vector<std::string> names_;  // As JSON, with the colon.
  ValueWriters writers_;
};

class CsvText final : public RowText {
 public:
  CsvText(const arrow::Schema& schema, char delimiter) : delimiter_(delimiter) {
    for (const auto& field : schema.fields()) names_.push_back(field->name());
  }

  void AppendHeader(std::string* out) const override {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (i > 0) *out += delimiter_;
      AppendCell(names_[i], out);
    }
    *out += '\n';
  }

  arrow::Status SetBatch(const std::shared_ptr<arrow::RecordBatch>& batch) override {
    batch_ = batch;
    return WritersOf(*batch, TextStyle::kPlain).Value(&writers_);
  }

  void AppendRow(int64_t row, std::string* out) const override {
    std::string cell;
    for (size_t i = 0; i < writers_.size(); ++i) {
      if (i > 0) *out += delimiter_;
      cell.clear();
      writers_[i]->Append(row, &cell);
      // Only a null is nothing at all.
      if (!cell.empty() || !batch_->column(static_cast<int>(i))->IsNull(row)) AppendCell(cell, out);
    }
    *out += '\n';
  }

 private:
  void AppendCell(std::string_view text, std::string* out) const {
    const bool plain = !text.empty() && text.find(delimiter_) == std::string_view::npos &&
                       text.find_first_of("\"\r\n") == std::string_view::npos;
    if (plain) {
      *out += text;
      return;
    }
    *out += '"';
    for (const char c : text) {
      if (c == '"') *out += '"';
      *out += c;
    }
    *out += '"';
  }

  const char delimiter_;
  std::vector<std::string> names_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  ValueWriters writers_;
};

}  // namespace

std::unique_ptr<RowText> MakeJsonLinesText(const arrow::Schema& schema) {
  return std::make_unique<JsonLinesText>(schema);
}

std::unique_ptr<RowText> MakeCsvText(const arrow::Schema& schema, char delimiter) {
  return std::make_unique<CsvText>(schema, delimiter);
}

}  // namespace hangar
