#pragma once

#include <cstdint>
#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "base/log.h"
#include "catalog/catalog.h"
#include "read/scan_plan.h"

namespace arrow {
class RecordBatchReader;
}

namespace hangar {

/// How a scan runs. Its memory is about `read_ahead_bytes` plus two decoded batches of
/// `decode_bytes` plus the compressed bytes of the row group in hand.
struct ScanOptions {
  int64_t batch_bytes = 1 << 20;        ///< About the size of the batches that come out.
  int64_t decode_bytes = 8 << 20;       ///< About how much is decoded in one step.
  int64_t read_ahead_bytes = 16 << 20;  ///< Decoded ahead of what was asked for.
  arrow::MemoryPool* pool = nullptr;    ///< nullptr: Arrow's default pool.
};

/// Starts a scan: a thread decodes ahead into a bounded, ordered queue while the caller takes
/// batches. The stream reads its own version whatever becomes of the dataset. Destroying it stops
/// the decoding. An error of the stored bytes is DATA_LOSS, its details go to `logger`.
///
/// The stream is for one thread at a time.
arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> StartScan(OpenSnapshot snapshot,
                                                                   ScanPlan plan,
                                                                   const ScanOptions& options,
                                                                   std::shared_ptr<Logger> logger);

}  // namespace hangar
