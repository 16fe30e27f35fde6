#pragma once

#include <memory>

#include <arrow/result.h>

#include "s3/s3_client.h"
#include "store/object_store.h"

namespace hangar {

/// Objects in a bucket: the object `a/b.parquet` is that key below the location's prefix. What
/// other tools put there are objects too; names with a segment that begins with '.' or `_hangar`
/// are not seen.
///
/// A version is the object's ETag, so equal bytes can be equal versions, and a copy of what another
/// tool wrote in large parts may be another one. Changes of one key are conditional writes of the
/// bucket: of all processes that change one version exactly one wins. A rename is not one step: the
/// object is taken from its old key, as dropped, and then put to the new one, so that a crash in
/// between leaves it to be undropped.
struct S3StoreOptions {
  /// Copies what is replaced and dropped, within the bucket; otherwise it is gone, and a read that
  /// is under way then ends with an error.
  bool keeps_past = true;
  /// This process alone changes the bucket, so that the bucket need not decide.
  bool is_single_writer = false;
};

/// `prefix` is empty or ends in '/'.
std::shared_ptr<ObjectStore> MakeS3Store(std::shared_ptr<S3Client> client,
                                         const std::string& prefix, const S3StoreOptions& options);

}  // namespace hangar
