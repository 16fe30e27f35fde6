#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/flight/types.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "client/client.h"

namespace arrow::flight {
class FlightClient;
}  // namespace arrow::flight

namespace hangar::client {

/// A stretch of a version: rows, or bytes of its file, whatever the StreamContent counts.
struct StreamRange {
  int64_t offset = 0;
  int64_t length = 0;
};

/// How a server gives a range.
struct RangeTickets {
  std::vector<arrow::flight::Ticket> tickets;  ///< To be redeemed at that server, one by one.
  int64_t passed_over = 0;  ///< So much of what they give stands before the range.
};

/// What the endpoints of one FlightInfo hold, in what unit it is counted, and how a stream of it
/// that broke off is taken up at another server of the same datasets. Immutable, thread-safe.
class StreamContent {
 public:
  virtual ~StreamContent() = default;

  /// "rows" or "bytes".
  virtual const char* unit() const = 0;

  /// What `endpoint` holds, as its app_metadata says; nullopt when it does not.
  virtual std::optional<StreamRange> RangeOf(
      const arrow::flight::FlightEndpoint& endpoint) const = 0;

  virtual int64_t LengthOf(const arrow::RecordBatch& batch) const = 0;

  /// A part of a batch, without a copy.
  virtual std::shared_ptr<arrow::RecordBatch> Slice(
      const std::shared_ptr<arrow::RecordBatch>& batch, int64_t offset, int64_t length) const = 0;

  /// Asks a server for a range of exactly the version that is read. Errors are Flight's own, or
  /// DATA_LOSS when what the server has is not the same.
  virtual arrow::Result<RangeTickets> Ask(arrow::flight::FlightClient& client,
                                          StreamRange range) const = 0;
};

/// The rows of `info`, which were asked for with `options`.
std::shared_ptr<const StreamContent> MakeRowContent(const DatasetInfo& info,
                                                    const GetOptions& options);

/// The bytes of the file of `info`.
std::shared_ptr<const StreamContent> MakeFileContent(const DatasetInfo& info);

}  // namespace hangar::client
