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
};

/// `prefix` is empty or ends in '/'.
std::shared_ptr<ObjectStore> MakeS3Store(std::shared_ptr<S3Client> client,
                                         const std::string& prefix, const S3StoreOptions& options);

/// Finds out whether the bucket decides between writers: it has to refuse to create what is there
/// and to replace what is not there any more. FAILED_PRECONDITION, saying what to do, when it does
/// not, or when it keeps versions by itself.
arrow::Status ProbeS3(S3Client& client, const std::string& prefix);

}  // namespace hangar
