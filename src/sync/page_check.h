#pragma once

#include <string>

#include <arrow/status.h>

namespace hangar::sync {

/// Reads all pages of a Parquet file and verifies the checksums that they have (most writers give
/// them none, Hangar does). DATA_LOSS when one does not fit, or the file is not made as its footer
/// says. OK for a file whose codec or encryption cannot be looked into here.
arrow::Status CheckPages(const std::string& path);

}  // namespace hangar::sync
