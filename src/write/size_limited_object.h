#pragma once

#include <cstdint>
#include <memory>

#include "store/object_store.h"

namespace hangar {

/// `staged`, which refuses to grow beyond `bytes_max`: RESOURCE_EXHAUSTED.
std::unique_ptr<StagedObject> LimitSize(std::unique_ptr<StagedObject> staged, int64_t bytes_max);

}  // namespace hangar
