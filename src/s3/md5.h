#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/s3_client.h"

namespace hangar {

/// What S3 checks bodies with and makes ETags of; no protection against anybody's intent.
using Md5 = std::array<uint8_t, 16>;

Md5 Md5Of(std::string_view bytes);

/// As in `Content-MD5`.
std::string Base64(const Md5& digest);

/// As in the ETag of an object that was written whole.
std::string Hexadecimal(const Md5& digest);

/// The ETag of an object that was made of these parts: the digest of the parts' digests, "-" and
/// how many they are. nullopt where a part's ETag is no MD5, as in buckets that encrypt with keys
/// of their own.
std::optional<std::string> MultipartETag(const std::vector<S3Part>& parts);

}  // namespace hangar
