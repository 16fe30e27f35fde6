#pragma once

#include <cstdint>

#include <arrow/result.h>

#include "config/options.h"

namespace hangar {

/// How the memory that the process may take is split, in bytes.
struct MemoryPlan {
  /// The whole: `--memory-limit`.
  int64_t limit_bytes = 0;
  /// Of all connections, for what clients sent and nobody has taken yet: a quarter.
  int64_t connection_bytes = 0;
  /// What the counted parts may take together: Arrow's memory (pages, decoded columns, what is
  /// cached of them, encoded row groups, decompressed uploads) and what was received and is not
  /// encoded yet. The latter still lies in the connections' buffers and so counts twice; that is
  /// room for what counts nowhere: footers, stacks, what the allocator holds back. 64 MiB are left
  /// for the program itself.
  int64_t counted_bytes = 0;
  /// Of that, what is kept decoded at most. It gives way to everything else.
  int64_t cache_bytes = 0;
  int64_t footer_cache_bytes = 0;
  /// Of one message from a client: it is received as a whole before it can be counted.
  int64_t message_bytes = 0;
};

/// INVALID_ARGUMENT for a limit below 128 MiB, with which nothing can be done; one that is given as
/// a part of what there is, is that at least.
arrow::Result<MemoryPlan> PlanMemory(const MemoryAmount& limit, const MemoryAmount& cache);

}  // namespace hangar
