#include "flight/flight_info.h"

#include <algorithm>
#include <format>
#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/types.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "flight/file_stream.h"
#include "flight/ticket.h"

namespace hangar {
namespace {

namespace flight = arrow::flight;
using nlohmann::json;

DatasetDescription Described(const std::string& name) {
  const auto schema = arrow::schema({arrow::field("a", arrow::int64())});
  const auto message = arrow::ipc::SerializeSchema(*schema).ValueOrDie();
  return {.name = name,
          .version = "v1",
          .modified = Timestamp(std::chrono::seconds(1)),
          .rows = 10,
          .bytes = 2000,
          .row_groups = 2,
          .schema = schema,
          .ipc_schema = std::make_shared<const std::string>(message->ToString())};
}

const Timestamp kExpires(std::chrono::seconds(2));

flight::FlightInfo Listed(const DatasetDescription& dataset) {
  return FlightInfoBuilder::Make({}).ValueOrDie().ForListing(dataset, kExpires).ValueOrDie();
}

TEST(FlightInfo, AListingSaysAllOfADataset) {
  const auto info = Listed(Described("sales/\"eu\".parquet"));
  arrow::ipc::DictionaryMemo memo;
  EXPECT_EQ(info.GetSchema(&memo).ValueOrDie()->field_names(), std::vector<std::string>{"a"});
  EXPECT_EQ(info.descriptor(), flight::FlightDescriptor::Path({"sales/\"eu\".parquet"}));
  EXPECT_EQ(info.total_records(), 10);
  EXPECT_EQ(info.total_bytes(), 2000);
  EXPECT_TRUE(info.ordered());
  const json want = {{"dataset", "sales/\"eu\".parquet"},
                     {"modified", "1970-01-01T00:00:01.000000000Z"},
                     {"row_groups", 2},
                     {"version", "v1"}};
  EXPECT_EQ(json::parse(info.app_metadata()), want);
}

TEST(FlightInfo, AListingsTicketPinsTheVersionAndReadsItWhole) {
  const auto info = Listed(Described("a"));
  ASSERT_EQ(info.endpoints().size(), 1);
  const auto contents = DecodeTicket(info.endpoints()[0].ticket.ticket).ValueOrDie();
  EXPECT_EQ(contents.read.dataset, "a");
  EXPECT_EQ(contents.read.version, "v1");
  EXPECT_EQ(contents.read.offset_rows, 0);
  EXPECT_EQ(contents.read.limit_rows, 10);
  EXPECT_EQ(info.endpoints()[0].expiration_time, kExpires);
}

TEST(FlightInfo, APastVersionSaysWhenItCeasedToBeTheCurrentOne) {
  DatasetDescription dataset = Described("a");
  dataset.retired = Timestamp(std::chrono::seconds(3));
  EXPECT_EQ(json::parse(Listed(dataset).app_metadata())["retired"],
            "1970-01-01T00:00:03.000000000Z");
}

// Gives each key a location of its own.
class KeysAsLocations final : public PeerLocations {
 public:
  std::vector<std::string> LocationsOf(std::string_view key) const override {
    std::string host(key);
    std::ranges::replace(host, ' ', '-');
    return {"grpc://" + host + ":1", "grpc://fallback:1"};
  }
};

std::vector<std::string> FirstLocations(const flight::FlightInfo& info) {
  std::vector<std::string> uris;
  for (const auto& endpoint : info.endpoints()) {
    uris.push_back(endpoint.locations.at(0).ToString());
  }
  return uris;
}

class FlightInfoOfPeers : public testing::Test {
 protected:
  // Two parts, which begin with the row groups 0 and 3.
  std::vector<std::string> LocationsOfRead(int64_t partitions) const {
    const ReadDescription read{
        .dataset = Described("a"),
        .schema = Described("a").schema,
        .rows = 10,
        .partitions = {{.rows = 6, .row_groups = 3},
                       {.offset_rows = 6, .rows = 4, .row_groups = 1, .first_row_group = 3}}};
    const ReadCommand command{.partitions = partitions};
    return FirstLocations(
        infos_.ForRead(flight::FlightDescriptor::Command("{}"), command, read).ValueOrDie());
  }

  const FlightInfoBuilder infos_ =
      FlightInfoBuilder::Make({"grpc://self:1"}, std::make_shared<KeysAsLocations>()).ValueOrDie();
};

TEST_F(FlightInfoOfPeers, PartitionsGoToPeersByVersionAndFirstRowGroup) {
  EXPECT_THAT(LocationsOfRead(8),
              testing::ElementsAre("grpc://v1-row-group-0:1", "grpc://v1-row-group-3:1"));
}

TEST_F(FlightInfoOfPeers, PartsOfAFileGoToPeersByVersionAndFirstByte) {
  DatasetDescription dataset = Described("a");
  dataset.bytes = 4 * kFileBlockBytes;
  const auto info =
      infos_.ForFile(flight::FlightDescriptor::Command("{}"), 2, dataset, kExpires).ValueOrDie();
  EXPECT_THAT(FirstLocations(info),
              testing::ElementsAre("grpc://v1-byte-0:1",
                                   std::format("grpc://v1-byte-{}:1", 2 * kFileBlockBytes)));
  EXPECT_EQ(info.endpoints()[0].locations.size(), 2);
}

TEST_F(FlightInfoOfPeers, WhatIsReadWholeNamesThisServer) {
  EXPECT_EQ(FirstLocations(infos_.ForListing(Described("a"), kExpires).ValueOrDie()),
            std::vector<std::string>{"grpc://self:1"});
  EXPECT_EQ(LocationsOfRead(1)[0], "grpc://self:1");
}

TEST(FlightInfo, AReadOfSomeColumnsHasTheSchemaOfThose) {
  ReadDescription read{.dataset = Described("a"),
                       .schema = arrow::schema({arrow::field("b", arrow::utf8())}),
                       .rows = 10,
                       .partitions = {{.rows = 10}}};
  const auto want = arrow::ipc::SerializeSchema(*read.schema).ValueOrDie()->ToString();
  EXPECT_EQ(IpcSchemaOf(read).ValueOrDie(), want);
  read.schema = read.dataset.schema;
  EXPECT_EQ(IpcSchemaOf(read).ValueOrDie(), *read.dataset.ipc_schema);
}

}  // namespace
}  // namespace hangar
