#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace hangar {

/// Appends `text` as a JSON string; bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string_view text, std::string* out);

/// Writes the values of one array as text.
///
/// As JSON: null, true/false, numbers in full (a float keeps a point or an exponent; NaN and the
/// infinities are null), text; binary as base64; decimals as strings in full; dates, times and
/// timestamps as ISO 8601 strings with the digits of their unit, in UTC with a "Z" when they have a
/// time zone; durations and intervals as ISO 8601 durations; lists as arrays; structs as objects;
/// maps as objects where the keys are text, else as arrays of {"key", "value"}; dictionaries,
/// run-end encoded arrays and unions as the value they stand for; extension types as their storage.
///
/// As plain text: the same, save that strings are bare at the top level, null is empty, and NaN and
/// the infinities are "NaN", "inf" and "-inf".
class ValueWriter {
 public:
  virtual ~ValueWriter() = default;
  virtual void Append(int64_t row, std::string* out) const = 0;
};

enum class TextStyle { kJson, kPlain };

/// NOT_IMPLEMENTED for a type that later versions of Arrow may bring.
arrow::Result<std::unique_ptr<ValueWriter>> MakeValueWriter(
    const std::shared_ptr<arrow::Array>& array, TextStyle style);

}  // namespace hangar
