#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/result.h>

namespace hangar {

/// A request's target, taken apart (RFC 9112, section 3.2).
struct HttpTarget {
  /// As it was sent, percent-encoded: what a literal '/' or ':' separates is not to be confused
  /// with what stands encoded in a name. Begins with '/', or is "*" alone.
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  ///< Decoded, in order.
};

/// Origin form, absolute form ("http://host/path", whose host says nothing here) and asterisk form.
/// INVALID_ARGUMENT for others, and for a query that cannot be decoded.
arrow::Result<HttpTarget> ParseHttpTarget(std::string_view target);

/// nullopt where a '%' is not followed by two hexadecimal digits. '+' stays what it is.
std::optional<std::string> PercentDecode(std::string_view text);

/// Encodes all bytes but RFC 3986's unreserved ones, and '/' where `keep_slashes`.
std::string PercentEncode(std::string_view text, bool keep_slashes);

/// Where a dataset is: "/v1/datasets/sales/eu.parquet". Its slashes stay what they are, save the
/// one before a last segment that would be read as a part of a dataset.
std::string DatasetPath(std::string_view name);

}  // namespace hangar
