#pragma once

#include <chrono>
#include <memory>

#include "store/object_store.h"

namespace hangar {

/// Over a remote store: for `ttl`, what it said of a key counts without asking it again, so that
/// changes by others are seen so much later. Changes through it are seen at once. Remembers a
/// bounded number of keys. A read that finds its version gone forgets the key.
std::shared_ptr<ObjectStore> RememberVersions(std::shared_ptr<ObjectStore> store,
                                              std::chrono::milliseconds ttl);

}  // namespace hangar
