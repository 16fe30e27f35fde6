#pragma once

#include <memory>

#include <arrow/result.h>

#include "service/staged_upload.h"
#include "service/stored_file.h"

namespace hangar {

/// Starts an upload of a file into staging, as DatasetService::BeginFileUpload says.
arrow::Result<std::unique_ptr<FileUpload>> BeginStagedFileUpload(const UploadResources& resources,
                                                                 const UploadLimits& limits,
                                                                 const Caller& caller,
                                                                 const UploadRequest& request);

}  // namespace hangar
