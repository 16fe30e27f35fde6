#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "catalog/footer.h"
#include "read/fetch_ahead.h"
#include "read/file_layout.h"
#include "read/scan_plan.h"
#include "read/segment_cache.h"

namespace hangar {

/// What a scan has to hold of its file to get on: the beginnings of the column chunks of a row
/// group.
int64_t FetchBytesMin(const Footer& footer, const FileLayout& layout, const ScanPlan& plan);

struct FetchPlanOptions {
  std::array<uint64_t, 2> version{};  ///< A hash of the version, as in ColumnChunkKey.
  int64_t file_bytes = 0;
  int64_t share_bytes = 0;  ///< About what may be held ahead.
};

/// What a scan needs of its file, a section for each of the plan's slices: the column chunks that
/// are not in `decoded`, as far as the slice's rows are likely to reach. Small chunks are fetched
/// in the order in which they stand in the file, so that one request brings many; of large ones
/// each gets a part by turns, as rows take a bit of every column. `decoded` must outlive the plan.
FetchPlan PlanFetch(std::shared_ptr<const Footer> footer, std::shared_ptr<const FileLayout> layout,
                    const ScanPlan& plan, const FetchPlanOptions& options, SegmentCache* decoded);

}  // namespace hangar
