#pragma once

#include <memory>
#include <vector>

#include <arrow/flight/types.h>
#include <arrow/type_fwd.h>

#include "client/servers.h"
#include "client/stream_content.h"

namespace hangar::client {

struct EndpointReaderOptions {
  std::shared_ptr<Servers> servers;
  std::shared_ptr<Connection> connection;  ///< To the server that made the endpoints.
  std::shared_ptr<const StreamContent> content;
  int connections = 1;  ///< How many endpoints are read at a time.
};

/// Reads the endpoints of one FlightInfo and hands their batches out in the endpoints' order.
///
/// Each of `connections` threads takes the next endpoint that nobody reads, over a connection that
/// nobody else uses, because one FlightClient is one TCP connection. An endpoint's batches wait in
/// a queue of a few batches until it is its turn, which bounds memory. The lowest endpoint that is
/// not finished always has a thread, so the consumer never waits for one that waits for it.
///
/// An endpoint is read at the first of its locations, and after them the client's own servers, that
/// is not put behind (server_health.h). Where its stream breaks off, it goes on at the next of them
/// with what has not come yet, until so many attempts in a row brought nothing that each of them
/// was tried twice. Nothing is handed out twice or left out: what comes is counted.
std::shared_ptr<arrow::RecordBatchReader> ReadEndpoints(
    std::vector<arrow::flight::FlightEndpoint> endpoints, std::shared_ptr<arrow::Schema> schema,
    EndpointReaderOptions options);

}  // namespace hangar::client
