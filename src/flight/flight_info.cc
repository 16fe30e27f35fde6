#include "flight/flight_info.h"

#include <utility>

#include <arrow/flight/types.h>
#include <nlohmann/json.hpp>

#include "flight/ticket.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

std::string DatasetMetadata(const DatasetDescription& dataset) {
  const nlohmann::json object = {{"dataset", dataset.name},
                                 {"version", dataset.version},
                                 {"modified", FormatTimestamp(dataset.modified)},
                                 {"row_groups", dataset.row_groups}};
  return object.dump();
}

std::string PartitionMetadata(const ReadPartition& partition) {
  const nlohmann::json object = {{"offset", partition.offset_rows},
                                 {"rows", partition.rows},
                                 {"bytes", partition.bytes},
                                 {"row_groups", partition.row_groups}};
  return object.dump();
}

}  // namespace

FlightInfoBuilder::FlightInfoBuilder(std::vector<flight::Location> locations)
    : locations_(std::move(locations)) {}

arrow::Result<FlightInfoBuilder> FlightInfoBuilder::Make(
    const std::vector<std::string>& advertise) {
  std::vector<flight::Location> locations;
  for (const std::string& uri : advertise) {
    ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::Parse(uri));
    locations.push_back(std::move(location));
  }
  // An empty list breaks some clients, and a listening address such as 0.0.0.0 breaks all of them.
  if (locations.empty()) locations.push_back(flight::Location::ReuseConnection());
  return FlightInfoBuilder(std::move(locations));
}

arrow::Result<flight::FlightInfo> FlightInfoBuilder::ForRead(
    const flight::FlightDescriptor& descriptor, const ReadCommand& command,
    const ReadDescription& description) const {
  std::vector<flight::FlightEndpoint> endpoints;
  for (const ReadPartition& partition : description.partitions) {
    TicketContents contents{.read = command.read, .compression = command.compression};
    contents.read.version = description.dataset.version;
    contents.read.offset_rows = partition.offset_rows;
    contents.read.limit_rows = partition.rows;
    flight::FlightEndpoint endpoint;
    endpoint.ticket.ticket = EncodeTicket(contents);
    endpoint.locations = locations_;
    endpoint.app_metadata = PartitionMetadata(partition);
    endpoints.push_back(std::move(endpoint));
  }
  return flight::FlightInfo::Make(*description.schema, descriptor, endpoints, description.rows,
                                  description.dataset.bytes, /*ordered=*/true,
                                  DatasetMetadata(description.dataset));
}

arrow::Result<flight::FlightInfo> FlightInfoBuilder::ForListing(
    const DatasetDescription& dataset) const {
  ReadDescription whole{
      .dataset = dataset,
      .schema = dataset.schema,
      .rows = dataset.rows,
      .partitions = {
          {.rows = dataset.rows, .bytes = dataset.bytes, .row_groups = dataset.row_groups}}};
  ReadCommand command;
  command.read.dataset = dataset.name;
  return ForRead(flight::FlightDescriptor::Path({dataset.name}), command, whole);
}

}  // namespace hangar
