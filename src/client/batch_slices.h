#pragma once

#include <cstdint>

#include <arrow/type_fwd.h>

namespace hangar::client {

/// How many rows of `batch` a slice may have so that it holds about `bytes_max` bytes; at least 1.
/// Dictionaries do not count, as they are sent once however many slices share them.
int64_t SliceRows(const arrow::RecordBatch& batch, int64_t bytes_max);

}  // namespace hangar::client
