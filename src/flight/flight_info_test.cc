#include "flight/flight_info.h"

#include <memory>
#include <string>

#include <arrow/flight/types.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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
