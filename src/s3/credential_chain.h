#pragma once

#include <memory>

#include <arrow/result.h>

#include "s3/credentials.h"
#include "s3/environment.h"
#include "s3/s3_location.h"

namespace hangar {

/// The first of these that is there, as AWS' tools have it
/// (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html):
///  1. the profile that the location names: keys, or a web identity's token file and role;
///  2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN;
///  3. AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME, at
///     AWS_ENDPOINT_URL_STS or the region's service;
///  4. the profile AWS_PROFILE, or "default", of the shared files;
///  5. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, with AWS_CONTAINER_AUTHORIZATION_TOKEN
///     or _TOKEN_FILE;
///  6. the instance's metadata, unless AWS_EC2_METADATA_DISABLED is "true", at
///     AWS_EC2_METADATA_SERVICE_ENDPOINT or its usual address.
/// Nothing is asked over the network yet. FAILED_PRECONDITION saying what is missing when there is
/// none, or half of one.
arrow::Result<std::unique_ptr<CredentialSource>> FindCredentials(const S3Location& location,
                                                                 const Environment& environment);

}  // namespace hangar
