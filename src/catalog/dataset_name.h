#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>

#include <arrow/result.h>

namespace hangar {

/// The name of a dataset: a path under the root that is known to be valid.
///
/// 1 to 16 segments joined with '/', each 1 to 255 bytes of UTF-8, 1,024 bytes in all. No empty
/// segment, no segment that begins with '.' or `_hangar`, no '\' and no control character.
class DatasetName {
 public:
  /// INVALID_ARGUMENT with a sentence that says which rule the name breaks.
  static arrow::Result<DatasetName> Parse(std::string_view name);

  const std::string& value() const { return value_; }

  friend auto operator<=>(const DatasetName&, const DatasetName&) = default;

 private:
  explicit DatasetName(std::string value) : value_(std::move(value)) {}

  std::string value_;
};

}  // namespace hangar
