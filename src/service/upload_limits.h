#pragma once

#include <cstdint>
#include <memory>

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include "service/upload.h"

namespace hangar {

/// Refuses a schema with more columns, or more bytes of names and metadata (of itself and of all
/// fields, nested ones too), than `limits` lets one dataset have. INVALID_ARGUMENT.
arrow::Status CheckSchemaWithin(const UploadLimits& limits, const arrow::Schema& schema);

/// Passes batches on to `upload` until more bytes came than `limits` lets one upload send, or a
/// batch's dictionaries are larger than 1 GiB together: RESOURCE_EXHAUSTED. Dictionaries stay in
/// memory from batch to batch, so they are bounded apart and do not count as sent each time.
std::unique_ptr<Upload> KeepWithin(const UploadLimits& limits, std::unique_ptr<Upload> upload);

}  // namespace hangar
