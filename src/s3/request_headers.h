#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "s3/s3_client.h"

namespace hangar {

// Headers of requests that several kinds of them have.

/// As ETags stand in headers.
std::string InQuotes(const std::string& etag);

std::vector<std::string> ConditionHeaders(const S3Condition& condition);

/// "bytes=FIRST-LAST"
std::string RangeText(int64_t offset, int64_t length);

}  // namespace hangar
