#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

// The key-value metadata of a Parquet file in which Arrow schemas travel.

namespace hangar {

/// The schema that Arrow's writer leaves and its reader looks for: ours is the storage schema.
inline constexpr std::string_view kArrowSchemaKey = "ARROW:schema";
/// The logical schema, present where it is not what kArrowSchemaKey holds.
inline constexpr std::string_view kLogicalSchemaKey = "hangar:schema";

/// What a client called the upload that made the file.
inline constexpr std::string_view kUploadIdKey = "hangar:upload_id";

/// The form of the two schemas: an encapsulated IPC message, in base64.
arrow::Result<std::string> EncodeSchema(const arrow::Schema& schema);
arrow::Result<std::shared_ptr<arrow::Schema>> DecodeSchema(std::string_view encoded);

/// The schema under `key`, or null when there is none or it cannot be decoded.
std::shared_ptr<arrow::Schema> FindSchema(
    const std::shared_ptr<const arrow::KeyValueMetadata>& metadata, std::string_view key);

/// Metadata without the three keys above, or without one; null when nothing is left.
std::shared_ptr<const arrow::KeyValueMetadata> WithoutInternalKeys(
    const std::shared_ptr<const arrow::KeyValueMetadata>& metadata);
std::shared_ptr<const arrow::KeyValueMetadata> WithoutKey(
    const std::shared_ptr<const arrow::KeyValueMetadata>& metadata, std::string_view key);

/// Metadata in which `key` stands once, last, with this value.
std::shared_ptr<const arrow::KeyValueMetadata> WithKey(
    const std::shared_ptr<const arrow::KeyValueMetadata>& metadata, std::string_view key,
    std::string value);

}  // namespace hangar
