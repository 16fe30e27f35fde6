#include "app/memory_plan.h"

#include <algorithm>

#include "base/error.h"
#include "config/process_memory.h"

namespace hangar {
namespace {

// Resident in a server that has served a little: Arrow's and gRPC's code, threads, tables.
constexpr int64_t kProgramBytes = 64LL << 20;
constexpr int64_t kFooterCacheBytesMax = 256LL << 20;

}  // namespace

arrow::Result<MemoryPlan> PlanMemory(const MemoryAmount& limit, const MemoryAmount& cache) {
  MemoryPlan plan{.limit_bytes = BytesOf(limit)};
  // A part of a small machine, which nobody chose for its size, must not keep the server from
  // starting.
  if (limit.percent > 0) plan.limit_bytes = std::max(plan.limit_bytes, kMemoryLimitBytesMin);
  if (plan.limit_bytes < kMemoryLimitBytesMin) {
    return Error(ErrorKind::kInvalidArgument,
                 "the memory limit is {} MiB; it must be {} MiB at least", plan.limit_bytes >> 20,
                 kMemoryLimitBytesMin >> 20);
  }
  plan.connection_bytes = plan.limit_bytes / 4;
  plan.counted_bytes = plan.limit_bytes - plan.connection_bytes - kProgramBytes;
  // Were it all of it, every read and upload would begin with evicting.
  plan.cache_bytes = std::min(BytesOf(cache), plan.counted_bytes / 4 * 3);
  plan.footer_cache_bytes = std::min(kFooterCacheBytesMax, plan.limit_bytes / 16);
  plan.message_bytes = plan.connection_bytes / 2;
  return plan;
}

}  // namespace hangar
