#pragma once

#include <memory>

#include "catalog/catalog.h"
#include "service/caller.h"
#include "service/stored_file.h"

namespace hangar {

class CallerRates;

/// The file of an open snapshot, for a caller. `rates` must outlive it.
std::unique_ptr<StoredFileReader> ReadStoredFile(OpenSnapshot snapshot, CallerRates* rates,
                                                 const Caller& caller);

}  // namespace hangar
