#pragma once

#include <functional>
#include <string>

#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "client/client.h"
#include "client/servers.h"

namespace hangar::client {

/// Called after each batch, with what was sent so far.
using ProgressFunction = std::function<void(const PutProgress&)>;

struct UploadRequest {
  /// The descriptor with this upload_id, or with none when it is empty.
  std::function<arrow::flight::FlightDescriptor(const std::string& upload_id)> descriptor;
  std::string upload_id;        ///< Of the first attempt.
  std::string repeat_id;        ///< Of all others.
  BatchSource batches;          ///< Called for each attempt.
  bool can_begin_again = true;  ///< False: `batches` is of use once, save where nothing was read.
  ProgressFunction on_progress;
};

/// Sends all batches as one DoPut and waits for what the server stored; goes on at the next server
/// where one fails. When it fails, also because `batches` fails, nothing is published, save as
/// Client::Put says.
arrow::Result<PutSummary> Upload(Servers& servers, const UploadRequest& request);

/// A new upload_id.
std::string MakeUploadId();

}  // namespace hangar::client
