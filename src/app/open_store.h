#pragma once

#include <memory>

#include <arrow/result.h>

#include "base/log.h"
#include "config/options.h"
#include "metrics/metrics.h"
#include "store/disk_cache.h"
#include "store/object_store.h"

namespace hangar {

/// The store that the setting `data` names: a folder, or a bucket (s3://...), which is tried first.
/// Errors are for whoever starts the server. `metrics` must outlive the store.
arrow::Result<std::shared_ptr<ObjectStore>> OpenStore(const ServeOptions& options,
                                                      std::shared_ptr<Logger> logger,
                                                      Metrics* metrics);

/// What the setting `cache_disk` asks for; nullptr where it is not set, or the data is no bucket.
arrow::Result<std::shared_ptr<DiskCache>> OpenDiskCache(const ServeOptions& options,
                                                        std::shared_ptr<Logger> logger);

}  // namespace hangar
