#pragma once

#include <memory>

#include <arrow/result.h>

#include "store/object_store.h"
#include "store/s3_bucket.h"
#include "store/s3_changes.h"

namespace hangar {

/// A staged object. Up to one part stays in memory and is written in one request when it is
/// published. More goes to the store as it comes: of an object that is known to be published at a
/// key, and of which only the end is read back, to that key, as an upload that nobody sees until it
/// is completed under the publication's condition; any other to an object of its own, which the
/// store copies to the key when it is published.
arrow::Result<std::unique_ptr<StagedObject>> StageS3Object(std::shared_ptr<const S3Bucket> bucket,
                                                           std::shared_ptr<const S3Changes> changes,
                                                           const StageOptions& options);

StagingMemory S3StagingMemory();

/// Removes staged objects and unfinished uploads that are older than a day: those of a writer that
/// is gone cannot be told from others' that live.
arrow::Result<SweepReport> SweepS3Staging(const S3Bucket& bucket);

}  // namespace hangar
