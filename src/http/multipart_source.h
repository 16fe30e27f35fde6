#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/byte_range.h"
#include "http/http_message.h"

namespace hangar {

/// A body of media type multipart/byteranges (RFC 9110, section 14.6).
struct MultipartBody {
  std::string content_type;  ///< With the boundary.
  std::unique_ptr<HttpBodySource> source;
};

/// Several parts of a file of media type `part_type`.
MultipartBody MakeMultipart(std::shared_ptr<StoredFileReader> file,
                            const std::vector<ByteRange>& parts, const std::string& part_type);

}  // namespace hangar
