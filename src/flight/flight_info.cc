#include "flight/flight_info.h"

#include <algorithm>
#include <format>
#include <utility>

#include <arrow/buffer.h>
#include <arrow/flight/types.h>
#include <arrow/ipc/writer.h>

#include "flight/file_stream.h"
#include "flight/json_text.h"
#include "flight/ticket.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;

std::string DatasetMetadata(const DatasetDescription& dataset) {
  JsonText text;
  text.Add("dataset", dataset.name)
      .Add("modified", FormatTimestamp(dataset.modified))
      .Add("row_groups", dataset.row_groups);
  if (dataset.retired) text.Add("retired", FormatTimestamp(*dataset.retired));
  return text.Add("version", dataset.version).Take();
}

std::string PartitionMetadata(const ReadPartition& partition) {
  return JsonText()
      .Add("bytes", partition.bytes)
      .Add("offset", partition.offset_rows)
      .Add("row_groups", partition.row_groups)
      .Add("rows", partition.rows)
      .Take();
}

}  // namespace

arrow::Result<std::string> IpcSchemaOf(const ReadDescription& description) {
  const DatasetDescription& dataset = description.dataset;
  if (description.schema == dataset.schema && dataset.ipc_schema) return *dataset.ipc_schema;
  ARROW_ASSIGN_OR_RAISE(const auto message, arrow::ipc::SerializeSchema(*description.schema));
  return message->ToString();
}

FlightInfoBuilder::FlightInfoBuilder(std::vector<flight::Location> locations,
                                     std::shared_ptr<const PeerLocations> peers)
    : locations_(std::move(locations)), peers_(std::move(peers)) {}

arrow::Result<FlightInfoBuilder> FlightInfoBuilder::Make(
    const std::vector<std::string>& advertise, std::shared_ptr<const PeerLocations> peers) {
  std::vector<flight::Location> locations;
  for (const std::string& uri : advertise) {
    ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::Parse(uri));
    locations.push_back(std::move(location));
  }
  // An empty list breaks some clients, and a listening address such as 0.0.0.0 breaks all of them.
  if (locations.empty()) locations.push_back(flight::Location::ReuseConnection());
  return FlightInfoBuilder(std::move(locations), std::move(peers));
}

arrow::Result<std::vector<flight::Location>> FlightInfoBuilder::LocationsOf(
    bool is_partitioned, const std::string& version, std::string_view part) const {
  if (peers_ == nullptr || !is_partitioned) return locations_;
  std::vector<flight::Location> locations;
  for (const std::string& uri : peers_->LocationsOf(std::format("{} {}", version, part))) {
    ARROW_ASSIGN_OR_RAISE(auto location, flight::Location::Parse(uri));
    locations.push_back(std::move(location));
  }
  return locations;
}

arrow::Result<flight::FlightInfo> FlightInfoBuilder::ForRead(
    const flight::FlightDescriptor& descriptor, const ReadCommand& command,
    const ReadDescription& description) const {
  flight::FlightInfo::Data info;
  ARROW_ASSIGN_OR_RAISE(info.schema, IpcSchemaOf(description));
  info.descriptor = descriptor;
  info.total_records = description.rows;
  info.total_bytes = description.dataset.bytes;
  info.ordered = true;
  info.app_metadata = DatasetMetadata(description.dataset);
  for (const ReadPartition& partition : description.partitions) {
    TicketContents contents{.read = command.read, .compression = command.compression};
    contents.read.version = description.dataset.version;
    contents.read.as_of.reset();
    contents.read.offset_rows = partition.offset_rows;
    contents.read.limit_rows = partition.rows;
    flight::FlightEndpoint endpoint;
    endpoint.ticket.ticket = EncodeTicket(contents);
    ARROW_ASSIGN_OR_RAISE(endpoint.locations,
                          LocationsOf(command.partitions > 1, description.dataset.version,
                                      std::format("row group {}", partition.first_row_group)));
    endpoint.expiration_time = description.expires;
    endpoint.app_metadata = PartitionMetadata(partition);
    info.endpoints.push_back(std::move(endpoint));
  }
  return flight::FlightInfo(std::move(info));
}

arrow::Result<flight::FlightInfo> FlightInfoBuilder::ForFile(
    const flight::FlightDescriptor& descriptor, int64_t partitions_max,
    const DatasetDescription& dataset, Timestamp expires) const {
  flight::FlightInfo::Data info;
  ARROW_ASSIGN_OR_RAISE(const auto schema, arrow::ipc::SerializeSchema(*FileStreamSchema()));
  info.schema = schema->ToString();
  info.descriptor = descriptor;
  const int64_t blocks = (dataset.bytes + kFileBlockBytes - 1) / kFileBlockBytes;
  info.total_records = blocks;
  info.total_bytes = dataset.bytes;
  info.ordered = true;
  info.app_metadata = DatasetMetadata(dataset);
  const int64_t parts = std::clamp<int64_t>(partitions_max, 1, std::max<int64_t>(blocks, 1));
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t begin = blocks * part / parts * kFileBlockBytes;
    const int64_t end = std::min(blocks * (part + 1) / parts * kFileBlockBytes, dataset.bytes);
    TicketContents contents;
    contents.read.dataset = dataset.name;
    contents.read.version = dataset.version;
    contents.file = {.offset_bytes = begin, .length_bytes = end - begin};
    flight::FlightEndpoint endpoint;
    endpoint.ticket.ticket = EncodeTicket(contents);
    ARROW_ASSIGN_OR_RAISE(endpoint.locations, LocationsOf(partitions_max > 1, dataset.version,
                                                          std::format("byte {}", begin)));
    endpoint.expiration_time = expires;
    endpoint.app_metadata = JsonText().Add("bytes", end - begin).Add("offset", begin).Take();
    info.endpoints.push_back(std::move(endpoint));
  }
  return flight::FlightInfo(std::move(info));
}

arrow::Result<flight::FlightInfo> FlightInfoBuilder::ForListing(const DatasetDescription& dataset,
                                                                Timestamp expires) const {
  ReadDescription whole{.dataset = dataset,
                        .schema = dataset.schema,
                        .rows = dataset.rows,
                        .partitions = {{.rows = dataset.rows,
                                        .bytes = dataset.bytes,
                                        .row_groups = dataset.row_groups}},
                        .expires = expires};
  ReadCommand command;
  command.read.dataset = dataset.name;
  return ForRead(flight::FlightDescriptor::Path({dataset.name}), command, whole);
}

}  // namespace hangar
