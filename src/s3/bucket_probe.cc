#include "s3/bucket_probe.h"

#include <format>
#include <random>
#include <utility>
#include <vector>

#include "base/error.h"
#include "s3/md5.h"

namespace hangar {
namespace {

using Kind = S3Condition::Kind;

// Whether a write was refused for its condition. Any other error is one.
arrow::Result<bool> IsRefused(const arrow::Result<S3Object>& written) {
  if (written.ok()) return false;
  if (KindOf(written.status()) == ErrorKind::kFailedPrecondition) return true;
  return written.status();
}

// Of uploads in parts, at a key where something is.
arrow::Result<bool> RefusesUpload(S3Client& client, const std::string& key,
                                  const S3Condition& condition) {
  ARROW_ASSIGN_OR_RAISE(const std::string upload, client.BeginUpload(key));
  const auto try_to_end = [&]() -> arrow::Result<bool> {
    ARROW_ASSIGN_OR_RAISE(S3Part part, client.UploadPart(key, upload, 1, "part"));
    return IsRefused(client.CompleteUpload(key, upload, {std::move(part)}, condition));
  };
  auto is_refused = try_to_end();
  if (!is_refused.ok() || *is_refused) std::ignore = client.AbortUpload(key, upload);
  return is_refused;
}

arrow::Result<BucketTraits> ProbeWith(S3Client& client, const std::string& key) {
  const S3Condition absent{.kind = Kind::kAbsent, .etag = {}};
  const S3Condition stale{.kind = Kind::kETag, .etag = std::string(32, '0')};
  ARROW_ASSIGN_OR_RAISE(const S3Object created, client.Write(key, "1", absent));
  BucketTraits traits{.keeps_conditions = true,
                      .has_md5_etags = created.etag == Hexadecimal(Md5Of("1"))};
  for (const S3Condition& condition : {absent, stale}) {
    ARROW_ASSIGN_OR_RAISE(const bool is_refused, IsRefused(client.Write(key, "2", condition)));
    traits.keeps_conditions = traits.keeps_conditions && is_refused;
  }
  for (const S3Condition& condition : {absent, stale}) {
    if (!traits.keeps_conditions) break;
    ARROW_ASSIGN_OR_RAISE(traits.keeps_conditions, RefusesUpload(client, key, condition));
  }
  return traits;
}

}  // namespace

arrow::Result<BucketTraits> ProbeBucket(S3Client& client, const std::string& prefix) {
  ARROW_ASSIGN_OR_RAISE(const std::string versioning, client.BucketVersioning());
  const std::string key =
      prefix + std::format("_hangar/staging/probe-{:08x}", std::random_device()());
  auto traits = ProbeWith(client, key);
  const arrow::Status removed = client.Delete(key, {});
  ARROW_RETURN_NOT_OK(traits.status());
  ARROW_RETURN_NOT_OK(removed);
  traits->keeps_versions = versioning == "Enabled";
  return traits;
}

arrow::Status CheckBucketServes(const BucketTraits& traits, bool is_single_writer) {
  if (!traits.has_md5_etags) {
    return MakeError(ErrorKind::kFailedPrecondition,
                     "the store's ETags are not MD5 sums, as with encryption by keys of one's own: "
                     "use a bucket without it");
  }
  if (is_single_writer) return arrow::Status::OK();
  if (traits.keeps_versions) {
    return MakeError(ErrorKind::kFailedPrecondition,
                     "the bucket keeps versions by itself, and stores that do decide between "
                     "writers unreliably: use a bucket without versioning, or --single-writer "
                     "where this server alone writes to it");
  }
  if (traits.keeps_conditions) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kFailedPrecondition,
      "the store does not keep conditions of writes (If-None-Match, If-Match), so it cannot decide "
      "between several writers: use --single-writer where this server alone writes to the bucket");
}

}  // namespace hangar
