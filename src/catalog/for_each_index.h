#pragma once

#include <cstddef>
#include <functional>

namespace hangar {

class WorkerPool;

/// Calls `work` with 0 to `count` - 1, each once, in this thread and in as many of the pool's as
/// have time for it; returns when all is done. It gets on without the pool: one that is busy makes
/// it slower, never stuck. `work` must be safe to run in several threads. `workers` may be null.
void ForEachIndex(WorkerPool* workers, size_t count, const std::function<void(size_t)>& work);

}  // namespace hangar
