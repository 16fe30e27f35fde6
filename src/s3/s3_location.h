#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <arrow/result.h>

#include "s3/environment.h"

namespace hangar {

/// A bucket, or a part of one, and how to reach it.
///
///     s3://BUCKET/PREFIX?endpoint=https://host:9000&region=eu-central-1
///
/// Options: `endpoint` (http or https; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else AWS
/// itself), `region` (else AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1),
/// `addressing` (`path`, `virtual`; default: virtual at AWS, but for buckets with dots, else path),
/// `ca` (PEM file of the authorities to trust, else AWS_CA_BUNDLE, else the system's), `profile`
/// (of the shared files; its keys count more than those of the environment), `timeout` (seconds in
/// which nothing moves until a request has failed: 1 to 3600, else 30). In the prefix and the
/// options %XX stands for a byte. Credentials never stand in it.
struct S3Location {
  std::string bucket;
  std::string prefix;    ///< Empty, or ending in '/'.
  std::string endpoint;  ///< With scheme, without a slash at the end.
  std::string region;
  bool path_style = true;
  std::string ca_file;  ///< Empty: the system's authorities.
  std::string profile;  ///< Empty: the URI names none.
  std::chrono::seconds timeout{30};

  /// "s3://BUCKET/PREFIX", for logs and errors.
  std::string ToString() const;
};

/// True for what ParseS3Location is to read.
bool IsS3Uri(std::string_view text);

/// INVALID_ARGUMENT saying what is wrong: an unknown option (with a suggestion), a bucket's name
/// that is none, credentials in the URI.
arrow::Result<S3Location> ParseS3Location(std::string_view uri,
                                          const Environment& environment = ProcessEnvironment());

}  // namespace hangar
