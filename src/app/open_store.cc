#include "app/open_store.h"

#include <utility>

#include "base/error.h"
#include "s3/bucket_probe.h"
#include "s3/s3_client.h"
#include "s3/s3_location.h"
#include "store/local_store.h"
#include "store/remembering_store.h"
#include "store/s3_store.h"

namespace hangar {
namespace {

// With less hardly anything would stay until it is asked for again.
constexpr int64_t kDiskCacheBytesMin = 16LL << 20;

}  // namespace

arrow::Result<std::shared_ptr<ObjectStore>> OpenStore(const ServeOptions& options,
                                                      std::shared_ptr<Logger> logger,
                                                      Metrics* metrics) {
  if (!IsS3Uri(options.data)) return LocalStore::Make(options.data, metrics);
  ARROW_ASSIGN_OR_RAISE(const S3Location location, ParseS3Location(options.data));
  ARROW_ASSIGN_OR_RAISE(auto client, S3Client::Make(location, logger, metrics));
  const bool is_single_writer = options.shared.single_writer;
  ARROW_ASSIGN_OR_RAISE(const BucketTraits traits, ProbeBucket(*client, location.prefix));
  ARROW_RETURN_NOT_OK(CheckBucketServes(traits, is_single_writer));
  if (is_single_writer) {
    logger->Warning(
        "nothing keeps a second server from undoing what this one writes to the bucket: it has to "
        "be the only one that writes",
        {{"setting", "single_writer"},
         {"store_keeps_conditions", traits.keeps_conditions ? "true" : "false", true}});
  }
  const History& history = options.history;
  auto store = MakeS3Store(std::move(client), location.prefix,
                           {.keeps_past = history.versions > 0 && history.time.count() > 0,
                            .is_single_writer = is_single_writer});
  const auto ttl = options.shared.metadata_ttl;
  return ttl.count() > 0 ? RememberVersions(std::move(store), ttl) : store;
}

arrow::Result<std::shared_ptr<DiskCache>> OpenDiskCache(const ServeOptions& options,
                                                        std::shared_ptr<Logger> logger) {
  const Shared& shared = options.shared;
  if (shared.cache_disk.empty()) return nullptr;
  if (!IsS3Uri(options.data)) {
    logger->Warning("the disk cache is for data in a bucket; it is not used",
                    {{"setting", "cache_disk"}});
    return nullptr;
  }
  if (shared.cache_disk_bytes < kDiskCacheBytesMin) {
    return Error(ErrorKind::kInvalidArgument, "the disk cache may take {} MiB; {} is the least",
                 shared.cache_disk_bytes >> 20, kDiskCacheBytesMin >> 20);
  }
  ARROW_ASSIGN_OR_RAISE(const S3Location location, ParseS3Location(options.data));
  return DiskCache::Open(
      {.folder = shared.cache_disk,
       .capacity_bytes = shared.cache_disk_bytes,
       .origin = location.endpoint + "/" + location.bucket + "/" + location.prefix},
      std::move(logger));
}

}  // namespace hangar
