#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/log.h"
#include "base/worker_pool.h"
#include "catalog/catalog.h"
#include "read/scan_plan.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

/// How a scan runs. Its memory is about `read_ahead_bytes` plus a step of `decode_bytes` for each
/// worker plus the compressed bytes of the row group in hand.
struct ScanOptions {
  int64_t batch_bytes = 1 << 20;        ///< About the size of the batches that come out.
  int64_t decode_bytes = 2 << 20;       ///< About how much is decoded in one step.
  int64_t read_ahead_bytes = 16 << 20;  ///< Decoded ahead of what was asked for.
  arrow::MemoryPool* pool = nullptr;    ///< nullptr: Arrow's default pool.
};

/// Starts a scan: the workers decode ahead, bounded and in order, while the caller takes batches.
/// The stream reads its own version whatever becomes of the dataset. Destroying it stops the
/// decoding. An error of the stored bytes is DATA_LOSS, its details go to `logger`.
///
/// The stream is for one thread at a time, and must not outlive `workers`.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StartScan(OpenSnapshot snapshot,
                                                                   ScanPlan plan,
                                                                   const ScanOptions& options,
                                                                   WorkerPool* workers,
                                                                   std::shared_ptr<Logger> logger);

}  // namespace hangar
