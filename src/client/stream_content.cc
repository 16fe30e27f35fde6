#include "client/stream_content.h"

#include <algorithm>
#include <utility>

#include <arrow/flight/client.h>
#include <arrow/record_batch.h>

#include "base/error.h"
#include "client/file_blocks.h"
#include "client/json_fields.h"
#include "client/requests.h"

namespace hangar::client {
namespace {

namespace flight = arrow::flight;

// A file is asked for in parts of about this size, where one of its streams broke off: at most so
// much comes once more.
constexpr int64_t kFilePartBytes = 64LL << 20;
constexpr int64_t kFilePartsMax = 10'000;  // docs/protocol.md, "partitions".

std::optional<StreamRange> RangeFrom(const std::string& app_metadata, const char* length) {
  const nlohmann::json metadata = ParseJsonObject(app_metadata);
  const StreamRange range{.offset = IntegerAt(metadata, "offset", -1),
                          .length = IntegerAt(metadata, length, -1)};
  if (range.offset < 0 || range.length < 0) return std::nullopt;
  return range;
}

arrow::Status AnotherVersion() {
  return MakeError(ErrorKind::kDataLoss,
                   "the servers do not have the same datasets: a read that broke off cannot go on "
                   "at another one");
}

class RowContent final : public StreamContent {
 public:
  RowContent(std::string name, GetOptions options)
      : name_(std::move(name)), options_(std::move(options)) {}

  const char* unit() const override { return "rows"; }

  std::optional<StreamRange> RangeOf(const flight::FlightEndpoint& endpoint) const override {
    return RangeFrom(endpoint.app_metadata, "rows");
  }

  int64_t LengthOf(const arrow::RecordBatch& batch) const override { return batch.num_rows(); }

  std::shared_ptr<arrow::RecordBatch> Slice(const std::shared_ptr<arrow::RecordBatch>& batch,
                                            int64_t offset, int64_t length) const override {
    return batch->Slice(offset, length);
  }

  arrow::Result<RangeTickets> Ask(flight::FlightClient& client, StreamRange range) const override {
    GetOptions options = options_;
    options.offset = range.offset;
    options.limit = range.length;
    ARROW_ASSIGN_OR_RAISE(const auto info, client.GetFlightInfo(GetDescriptor(name_, options)));
    if (info->total_records() != range.length) return AnotherVersion();
    RangeTickets tickets;
    for (const auto& endpoint : info->endpoints()) tickets.tickets.push_back(endpoint.ticket);
    return tickets;
  }

 private:
  const std::string name_;
  const GetOptions options_;  // For one partition of the version that is read.
};

class FileContent final : public StreamContent {
 public:
  FileContent(std::string name, std::string version, int64_t bytes)
      : name_(std::move(name)), version_(std::move(version)), bytes_(bytes) {}

  const char* unit() const override { return "bytes"; }

  std::optional<StreamRange> RangeOf(const flight::FlightEndpoint& endpoint) const override {
    return RangeFrom(endpoint.app_metadata, "bytes");
  }

  int64_t LengthOf(const arrow::RecordBatch& batch) const override { return BlockBytes(batch); }

  std::shared_ptr<arrow::RecordBatch> Slice(const std::shared_ptr<arrow::RecordBatch>& batch,
                                            int64_t offset, int64_t length) const override {
    return SliceBlocks(*batch, offset, length);
  }

  // Servers give whole files in parts, of which those are taken that the range touches.
  arrow::Result<RangeTickets> Ask(flight::FlightClient& client, StreamRange range) const override {
    const int64_t parts = std::clamp<int64_t>(bytes_ / kFilePartBytes, 1, kFilePartsMax);
    const auto descriptor = GetFileDescriptor(
        name_, {.version = version_, .as_of = {}, .partitions = static_cast<int>(parts)});
    ARROW_ASSIGN_OR_RAISE(const auto info, client.GetFlightInfo(descriptor));
    if (info->total_bytes() != bytes_) return AnotherVersion();
    RangeTickets tickets;
    int64_t covered = range.offset;
    for (const auto& endpoint : info->endpoints()) {
      const auto part = RangeOf(endpoint);
      if (!part) return AnotherVersion();
      if (part->offset + part->length <= covered) continue;
      if (covered >= range.offset + range.length) break;
      if (tickets.tickets.empty()) tickets.passed_over = covered - part->offset;
      tickets.tickets.push_back(endpoint.ticket);
      covered = part->offset + part->length;
    }
    if (tickets.passed_over < 0 || covered < range.offset + range.length) return AnotherVersion();
    return tickets;
  }

 private:
  const std::string name_;
  const std::string version_;
  const int64_t bytes_;
};

}  // namespace

std::shared_ptr<const StreamContent> MakeRowContent(const DatasetInfo& info,
                                                    const GetOptions& options) {
  GetOptions of_version = options;
  of_version.version = info.version;
  of_version.as_of.reset();
  of_version.partitions = 1;
  return std::make_shared<RowContent>(info.name, std::move(of_version));
}

std::shared_ptr<const StreamContent> MakeFileContent(const DatasetInfo& info) {
  return std::make_shared<FileContent>(info.name, info.version, info.bytes);
}

}  // namespace hangar::client
