#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

namespace hangar {

/// Writes rows as lines of text, row by row, so that whoever uses it bounds what is gathered: a row
/// of a few indices may stand for much text. One thread at a time.
///
///   ARROW_RETURN_NOT_OK(lines->SetBatch(batch));
///   for (int64_t row = 0; row < batch->num_rows(); ++row) lines->AppendRow(row, &text);
class RowText {
 public:
  virtual ~RowText() = default;
  /// The line before all rows, if there is one.
  virtual void AppendHeader(std::string* out) const = 0;
  /// The rows that AppendRow writes from now on. UNIMPLEMENTED for a type that later versions of
  /// Arrow may bring.
  virtual arrow::Status SetBatch(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual void AppendRow(int64_t row, std::string* out) const = 0;
};

/// One JSON object a line, its keys in the order of the columns; values as ValueWriter has them.
std::unique_ptr<RowText> MakeJsonLinesText(const arrow::Schema& schema);

/// A line of names, then one for each row; values as ValueWriter has them, in double quotes where
/// they need to be. A null is nothing at all, an empty string is "".
std::unique_ptr<RowText> MakeCsvText(const arrow::Schema& schema, char delimiter);

}  // namespace hangar
