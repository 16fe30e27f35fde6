#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arrow/flight/type_fwd.h>
#include <arrow/result.h>

#include "service/dataset_service.h"

namespace hangar {

/// How batches are compressed on the wire.
enum class WireCompression { kNone, kLz4, kZstd };

/// What goes over the wire.
enum class DataFormat {
  kArrow,    ///< Rows.
  kParquet,  ///< The stored file's bytes, see file_stream.h.
};

/// A read as a descriptor asks for it.
struct ReadCommand {
  ReadRequest read;
  int64_t partitions = 1;
  WireCompression compression = WireCompression::kNone;
  DataFormat format = DataFormat::kArrow;
};

/// An upload as a descriptor asks for it.
struct UploadCommand {
  UploadRequest upload;
  DataFormat format = DataFormat::kArrow;
};

/// What a descriptor of GetFlightInfo, GetSchema and PollFlightInfo asks for: a PATH the whole
/// dataset, a CMD what its JSON says. INVALID_ARGUMENT, naming the key, for anything else.
arrow::Result<ReadCommand> ParseReadDescriptor(const arrow::flight::FlightDescriptor& descriptor);

/// What a descriptor of DoPut asks for, likewise.
arrow::Result<UploadCommand> ParseUploadDescriptor(
    const arrow::flight::FlightDescriptor& descriptor);

/// What a listing is of: empty, or a JSON object. `what` names the text in errors.
arrow::Result<ListRequest> ParseListRequest(const std::string& text, std::string_view what);

/// The criteria of ListFlights, as such.
arrow::Result<ListRequest> ParseCriteria(const std::string& expression);

/// By its name in commands: "none", "lz4" or "zstd".
arrow::Result<WireCompression> ParseWireCompression(const std::string& name);
std::string WireCompressionName(WireCompression compression);

}  // namespace hangar
