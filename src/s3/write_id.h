#pragma once

#include <string>

namespace hangar {

// Every write has an id of its own, so that it can be told from another one of the same bytes.

/// Comes back from HEAD.
inline constexpr char kWriteIdHeader[] = "x-amz-meta-hangar-write";

std::string NewWriteId();

/// The id of an upload as S3Client has it: the write's, and the store's own.
std::string UploadIdOf(const std::string& write_id, const std::string& stores_upload_id);
/// Empty for an upload of somebody else's, as listings show it.
std::string WriteIdOf(const std::string& upload_id);
std::string StoresUploadId(const std::string& upload_id);

}  // namespace hangar
