#pragma once

#include <memory>

#include <arrow/status.h>

#include "catalog/footer.h"
#include "store/object_store.h"

namespace hangar {

class RangeFetcher;
class WorkerPool;

/// Reads every page of a file whose footer is known: that each column chunk's pages are where the
/// footer says, have the checksums and the sizes that they say, can be decompressed and hold as
/// many values as the footer says, and that the file begins as Parquet does. INVALID_ARGUMENT
/// naming the first thing that is wrong. Values are not decoded. A page for each thread is in
/// memory. `workers` help; null: none do. `fetcher`: of a remote object, what is read next; null:
/// nothing is fetched ahead.
arrow::Status VerifyPages(std::shared_ptr<ObjectReader> reader, const Footer& footer,
                          WorkerPool* workers, RangeFetcher* fetcher = nullptr);

}  // namespace hangar
