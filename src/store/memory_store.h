#pragma once

#include <memory>

#include "store/object_store.h"

namespace hangar {

/// Objects in memory: the simplest right store, for tests and as the model others are held against.
std::shared_ptr<ObjectStore> MakeMemoryStore();

}  // namespace hangar
