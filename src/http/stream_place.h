#pragma once

#include <memory>

#include <arrow/result.h>

#include "http/http_context.h"
#include "http/http_message.h"

namespace hangar {

/// A place among the calls that hold a stream open, see CallLimits; given back when the last copy
/// goes. RESOURCE_EXHAUSTED when there is none left.
arrow::Result<std::shared_ptr<void>> TakeStreamPlace(const HttpContext& context,
                                                     const HttpRequest& request, bool is_upload);

}  // namespace hangar
