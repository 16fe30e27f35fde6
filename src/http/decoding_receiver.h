#pragma once

#include <memory>

#include <arrow/result.h>

#include "http/http_message.h"

namespace hangar {

/// How a body is compressed, by its Content-Encoding.
enum class ContentCoding { kNone, kGzip, kZstd };

/// A receiver that hands on to `inner` what a compressed body holds, block by block: however much
/// that becomes, little of it is in memory, and how much is too much is up to `inner`.
/// INVALID_ARGUMENT for what is not compressed so, or ends too soon.
arrow::Result<std::unique_ptr<HttpBodyReceiver>> DecodeBody(
    ContentCoding coding, std::unique_ptr<HttpBodyReceiver> inner);

}  // namespace hangar
