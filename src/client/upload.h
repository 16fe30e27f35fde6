#pragma once

#include <functional>

#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "client/client.h"
#include "client/connection.h"

namespace hangar::client {

/// Called after each batch, with what was sent so far.
using ProgressFunction = std::function<void(const PutProgress&)>;

/// Sends all batches as one DoPut and waits for what the server stored. When it fails, also because
/// `batches` fails, nothing is published, save as Client::Put says.
arrow::Result<PutSummary> Upload(Connection& connection,
                                 const arrow::flight::FlightDescriptor& descriptor,
                                 arrow::RecordBatchReader& batches,
                                 const ProgressFunction& on_progress);

}  // namespace hangar::client
