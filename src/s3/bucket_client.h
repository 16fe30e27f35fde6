#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <arrow/result.h>

#include "base/clock.h"
#include "base/log.h"
#include "s3/environment.h"
#include "s3/http_exchange.h"
#include "s3/retry.h"
#include "s3/s3_client.h"
#include "s3/s3_location.h"

namespace hangar {

class Metrics;

/// What `S3Client::Make` decides by itself, and tests decide otherwise.
struct BucketClientSettings {
  RetrySettings retry;
  std::function<Timestamp()> now = &Now;  ///< By which credentials expire.
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::seconds stall_timeout{30};
  /// For what the store answers only once it has copied or put together bytes.
  std::chrono::seconds long_stall_timeout{300};
  /// The most that CopyObject takes, and the parts in which larger objects are copied
  /// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
  int64_t copy_bytes_max = int64_t{5} << 30;
  int64_t copy_part_bytes = int64_t{1} << 30;
};

/// As S3Client::Make.
arrow::Result<std::shared_ptr<S3Client>> MakeBucketClient(const S3Location& location,
                                                          BucketClientSettings settings,
                                                          const Environment& environment,
                                                          std::shared_ptr<Logger> logger,
                                                          Metrics* metrics);

}  // namespace hangar
