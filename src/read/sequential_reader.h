#pragma once

#include <memory>

#include "read/range_fetcher.h"
#include "store/object_store.h"

namespace hangar {

/// A reader of a remote object for who reads it mostly from front to back, in steps: once a read
/// goes on where the one before ended, what comes next is fetched ahead, more and more of it.
/// `fetcher` must outlive it. Thread-safe, as any reader.
std::shared_ptr<ObjectReader> ReadSequentially(std::shared_ptr<ObjectReader> reader,
                                               RangeFetcher* fetcher);

}  // namespace hangar
