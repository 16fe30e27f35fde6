#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>

#include "flight/command.h"
#include "peers/peer_locations.h"
#include "service/dataset_service.h"

namespace hangar {

/// The schema's encapsulated IPC message, taken from the dataset where it is the dataset's.
arrow::Result<std::string> IpcSchemaOf(const ReadDescription& description);

/// Builds what a client gets to see of datasets. Immutable, thread-safe.
class FlightInfoBuilder {
 public:
  /// `advertise`: the URIs that endpoints name, in order; empty: the connection that asked.
  /// `peers`: what the endpoints of a read name instead that was asked for in partitions; nullptr:
  /// there are no others.
  static arrow::Result<FlightInfoBuilder> Make(const std::vector<std::string>& advertise,
                                               std::shared_ptr<const PeerLocations> peers = {});

  /// For a descriptor that was parsed as `command` and described as `description`: one endpoint for
  /// each partition, whose ticket pins the version. Of several, those that begin with the same row
  /// group of the same version are to be had from the same peer, however they were cut.
  arrow::Result<arrow::flight::FlightInfo> ForRead(
      const arrow::flight::FlightDescriptor& descriptor, const ReadCommand& command,
      const ReadDescription& description) const;

  /// For the file of a version: up to so many endpoints, each with a part of its bytes, which
  /// joined in order are the file. The number of records is that of the blocks (file_stream.h).
  arrow::Result<arrow::flight::FlightInfo> ForFile(
      const arrow::flight::FlightDescriptor& descriptor, int64_t partitions_max,
      const DatasetDescription& dataset, Timestamp expires) const;

  /// For a listing: the whole dataset, named by a PATH, in one endpoint.
  /// `expires`: as ReadDescription has it.
  arrow::Result<arrow::flight::FlightInfo> ForListing(const DatasetDescription& dataset,
                                                      Timestamp expires) const;

 private:
  FlightInfoBuilder(std::vector<arrow::flight::Location> locations,
                    std::shared_ptr<const PeerLocations> peers);

  arrow::Result<std::vector<arrow::flight::Location>> LocationsOf(bool is_partitioned,
                                                                  const std::string& version,
                                                                  std::string_view part) const;

  std::vector<arrow::flight::Location> locations_;
  std::shared_ptr<const PeerLocations> peers_;
};

}  // namespace hangar
