#pragma once

#include "base/memory_budget.h"

namespace hangar {

/// Chooses the allocator behind Arrow's default memory pool for a server, unless the environment's
/// ARROW_DEFAULT_MEMORY_POOL says otherwise. `keeps_columns`: decoded columns are cached. Called
/// first, before Arrow allocates anything and before any thread starts.
void ChooseAllocator(bool keeps_columns);

/// What this process's memory from Arrow's default pool counts against; without a limit until it is
/// given one.
MemoryBudget& ArrowMemoryBudget();

}  // namespace hangar
