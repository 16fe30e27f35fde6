#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/flight/types.h>
#include <arrow/result.h>

#include "client/client.h"

/// The JSON of descriptors, listings and uploads (docs/protocol.md).
namespace hangar::client {

/// A PATH when the options ask for nothing, else a CMD.
arrow::flight::FlightDescriptor GetDescriptor(const std::string& name, const GetOptions& options);
arrow::flight::FlightDescriptor VersionDescriptor(const std::string& name,
                                                  const VersionChoice& choice);
arrow::flight::FlightDescriptor PutDescriptor(const std::string& name, const PutOptions& options);
/// The same of a stored file as it is.
arrow::flight::FlightDescriptor GetFileDescriptor(const std::string& name,
                                                  const GetFileOptions& options);
arrow::flight::FlightDescriptor PutFileDescriptor(const std::string& name,
                                                  const PutFileOptions& options);

/// UNIMPLEMENTED for the failure of a server that does not know these descriptors; other failures
/// as they are.
arrow::Status FormatFailure(const arrow::Status& status);

/// The criteria of one page of a listing, also of the trash; `limit` is the page's.
std::string ListCriteria(const ListOptions& options, const std::string& after, int64_t limit);

/// INTERNAL when the server's answer is not what the protocol says.
arrow::Result<PutSummary> ParsePutSummary(std::string_view app_metadata);

/// A dataset as a FlightInfo describes it. What `app_metadata` lacks stays at its default, so that
/// other Flight servers' answers are understood as far as they go.
arrow::Result<DatasetInfo> ParseFlightInfo(const arrow::flight::FlightInfo& info);

}  // namespace hangar::client
