#pragma once

#include <memory>

#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_changes.h"

namespace hangar {

/// An upload. Up to one part stays in memory and is written in one request when it is published;
/// more goes to an object of its own as it comes, several parts at a time, which the store copies
/// to the key when it is published.
std::unique_ptr<StagedObject> StageS3Object(std::shared_ptr<const S3Bucket> bucket,
                                            std::shared_ptr<const S3Changes> changes);

/// Removes staged objects and unfinished uploads that are older than a day: those of a writer that
/// is gone cannot be told from others' that live.
arrow::Result<SweepReport> SweepS3Staging(const S3Bucket& bucket);

}  // namespace hangar
