#pragma once

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>

#include "service/dataset_service.h"

namespace arrow::flight {
class FlightMessageReader;
}

namespace hangar {

/// Takes a DoPut's stream to its end and stores it, as rows or as a file, as its descriptor says.
arrow::Result<UploadResult> ReceiveUpload(DatasetService& service, const Caller& caller,
                                          arrow::flight::FlightMessageReader& reader);

}  // namespace hangar
