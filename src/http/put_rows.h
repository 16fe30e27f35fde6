#pragma once

#include <memory>

#include <arrow/result.h>

#include "http/dataset_format.h"
#include "http/http_context.h"
#include "http/http_message.h"
#include "http/upload_answer.h"
#include "service/upload.h"

namespace hangar {

/// Takes rows in a format that is no Parquet, which a thread of their own reads as they come in and
/// stores as `upload` says. What was sent and not read yet waits in memory up to 1 MiB.
/// INVALID_ARGUMENT for what is not of the format.
arrow::Result<std::unique_ptr<HttpBodyReceiver>> ReceiveRows(const HttpContext& context,
                                                             const HttpRequest& request,
                                                             DatasetFormat format,
                                                             const UploadRequest& upload,
                                                             UploadAnswer answer);

}  // namespace hangar
