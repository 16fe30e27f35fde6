#pragma once

#include <string>

#include <arrow/status.h>

namespace hangar::client {

/// What a caller should see of a failed Flight call: the server's sentence without what Flight and
/// gRPC put around it, and the kind it had on the server as far as the protocol carries it. A
/// failure to reach the server at `uri` says so instead. OK stays OK, and a status that has a kind
/// already is returned as it is.
arrow::Status FromFlight(const arrow::Status& status, const std::string& uri);

/// True for a call that could not be made because no connection came to be. `status` is as Flight
/// gave it.
bool FailedToConnect(const arrow::Status& status);

/// True for a call that no server certainly did anything about: it could not be made, or the server
/// turned it away because it is stopping. `status` is as Flight gave it.
bool WasNotBegun(const arrow::Status& status);

/// True for a call of which nothing was sent, because no connection could be made, for a reason
/// that is gone with the next attempt: gRPC 1.51 looks at errno only after other system calls, and
/// sometimes takes a connection that is under way for one that failed with what those left there
/// (tcp_client_create_from_prepared_fd in src/core/lib/iomgr/tcp_client_posix.cc). `status` is as
/// Flight gave it.
bool FailedToConnectByChance(const arrow::Status& status);

}  // namespace hangar::client
