#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "base/log.h"
#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "read/range_fetcher.h"
#include "read/read_ahead_budget.h"
#include "read/scan_plan.h"
#include "read/segment_cache.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

struct ScanOptions {
  int64_t batch_bytes = 1 << 20;      ///< About the size of the batches that come out.
  arrow::MemoryPool* pool = nullptr;  ///< nullptr: Arrow's default pool.
  bool uses_disk_cache = true;        ///< False: reads what is stored, whatever was kept of it.
};

/// What all scans share. Must outlive them; `workers` must go first, then `fetcher`.
struct ScanResources {
  SegmentCache* decoded = nullptr;
  ReadAheadBudget* read_ahead = nullptr;
  WorkerPool* workers = nullptr;
  RangeFetcher* fetcher = nullptr;  ///< Of a remote store; nullptr: what is read is near.
};

/// About what a scan takes, in bytes, beside its share of the read-ahead budgets and what is
/// cached. `fetches`: its file is remote.
int64_t ExpectedScanBytes(const OpenSnapshot& snapshot, const ScanPlan& plan, SegmentCache& decoded,
                          bool fetches = false);

/// Starts a scan: what is cached comes from there, the rest is decoded by the workers, ahead,
/// bounded and in order, while the caller takes batches. The stream reads its own version whatever
/// becomes of the dataset. Destroying it stops the decoding. An error of the stored bytes is
/// DATA_LOSS, its details go to `logger`. Beside what is cached its memory is its share of the
/// read-ahead budget, a segment for each worker, and for each column that is being decoded a page
/// or two.
///
/// The stream is for one thread at a time.
std::shared_ptr<arrow::RecordBatchReader> StartScan(OpenSnapshot snapshot, ScanPlan plan,
                                                    const ScanOptions& options,
                                                    const ScanResources& resources,
                                                    std::shared_ptr<Logger> logger);

}  // namespace hangar
