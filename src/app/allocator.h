#pragma once

namespace hangar {

/// Chooses the allocator behind Arrow's default memory pool, unless the environment's
/// ARROW_DEFAULT_MEMORY_POOL says otherwise. Called first, before Arrow allocates anything and
/// before any thread starts.
void ChooseAllocator();

}  // namespace hangar
