#pragma once

#include <memory>

#include "store/object_store.h"
#include "store/s3_bucket.h"

namespace hangar {

/// The datasets of a bucket, a page of 1,000 at a time. With `sweeps_tombstones` it removes what a
/// drop that ended half way left behind where it comes past it; only where the bucket keeps
/// conditions.
std::unique_ptr<ObjectLister> ListS3Objects(std::shared_ptr<const S3Bucket> bucket,
                                            const ListOptions& options, bool sweeps_tombstones);

}  // namespace hangar
