#pragma once

#include <string>

#include <arrow/status.h>

namespace hangar::client {

/// What a caller should see of a failed Flight call: the server's sentence without what Flight and
/// gRPC put around it, and the kind it had on the server as far as the protocol carries it. A
/// failure to reach the server at `uri` says so instead. OK stays OK, and a status that has a kind
/// already is returned as it is.
arrow::Status FromFlight(const arrow::Status& status, const std::string& uri);

}  // namespace hangar::client
