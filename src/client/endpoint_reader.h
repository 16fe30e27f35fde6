#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

namespace arrow::flight {
class FlightClient;
}  // namespace arrow::flight

namespace hangar::client {

struct EndpointReaderOptions {
  std::string uri;                                      ///< Of the server that made the endpoints.
  std::shared_ptr<arrow::flight::FlightClient> client;  ///< A connection to it, used first.
  /// Makes more of them, also to other addresses that the endpoints name.
  std::function<arrow::Result<std::shared_ptr<arrow::flight::FlightClient>>(const std::string& uri)>
      connect;
  int connections = 1;  ///< How many endpoints are read at a time.
};

/// Reads the endpoints of one FlightInfo and hands their batches out in the endpoints' order.
///
/// Each of `connections` threads takes the next endpoint that nobody reads, over a connection of
/// its own, because one FlightClient is one TCP connection. An endpoint's batches wait in a queue
/// of a few batches until it is its turn, which bounds memory. The lowest endpoint that is not
/// finished always has a thread, so the consumer never waits for one that waits for it.
std::shared_ptr<arrow::RecordBatchReader> ReadEndpoints(
    std::vector<arrow::flight::FlightEndpoint> endpoints, std::shared_ptr<arrow::Schema> schema,
    EndpointReaderOptions options);

}  // namespace hangar::client
