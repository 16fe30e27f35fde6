#pragma once

#include <memory>
#include <string>

#include "store/file_descriptor.h"
#include "store/object_store.h"

namespace hangar {

/// Reads the open file of `info`. After each read it looks whether the file is still the version
/// that was opened: a file that was replaced or unlinked is, one that was written to is not.
std::unique_ptr<ObjectReader> MakeLocalReader(UniqueDescriptor file, ObjectInfo info);

}  // namespace hangar
