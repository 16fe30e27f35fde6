#pragma once

#include <string>

#include <arrow/result.h>
#include <arrow/status.h>

#include "s3/s3_client.h"

namespace hangar {

/// What a bucket does of what Hangar builds on.
struct BucketTraits {
  /// It refuses to create what is there and to replace what is not there any more, also where an
  /// upload in parts ends: so it decides between several writers.
  bool keeps_conditions = false;
  /// It keeps versions by itself. Stores that do decide between writers unreliably (radosgw 20.2
  /// lets several win).
  bool keeps_versions = false;
  /// An ETag is the MD5 of what was written, so that equal ETags mean equal bytes.
  bool has_md5_etags = false;
};

/// Finds out by a few requests, with an object of a name of its own below
/// "PREFIX_hangar/staging/", which it removes again.
arrow::Result<BucketTraits> ProbeBucket(S3Client& client, const std::string& prefix);

/// FAILED_PRECONDITION, saying what to do, where a server cannot work on such a bucket. A server
/// that is the bucket's only writer decides by itself.
arrow::Status CheckBucketServes(const BucketTraits& traits, bool is_single_writer);

}  // namespace hangar
