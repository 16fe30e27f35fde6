#pragma once

#include <memory>

#include "store/object_store.h"
#include "store/s3_bucket.h"

namespace hangar {

/// The datasets of a bucket, a page of 1,000 at a time.
std::unique_ptr<ObjectLister> ListS3Objects(std::shared_ptr<const S3Bucket> bucket,
                                            const ListOptions& options);

}  // namespace hangar
