#pragma once

#include <memory>

#include "store/local_root.h"
#include "store/object_store.h"

namespace hangar {

/// Walks the folders below the root depth first, in the order of the keys.
std::unique_ptr<ObjectLister> MakeLocalLister(std::shared_ptr<const LocalRoot> root,
                                              ListOptions options);

}  // namespace hangar
