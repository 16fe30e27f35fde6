// What the door adds to a call: the FlightInfo of a dataset of seven columns, and its ticket.

#include <memory>
#include <string>

#include <arrow/flight/types.h>
#include <arrow/ipc/writer.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>

#include "flight/flight_info.h"
#include "flight/ticket.h"

namespace hangar {
namespace {

DatasetDescription Described() {
  arrow::FieldVector fields;
  for (int i = 0; i < 7; ++i) fields.push_back(arrow::field("column", arrow::int64()));
  const auto schema = arrow::schema(std::move(fields));
  const auto message = arrow::ipc::SerializeSchema(*schema).ValueOrDie();
  return {.name = "many-00000.parquet",
          .version = std::string(32, '7'),
          .rows = 1000,
          .bytes = 31'000,
          .row_groups = 1,
          .schema = schema,
          .ipc_schema = std::make_shared<const std::string>(message->ToString())};
}

void ForListing(benchmark::State& state) {
  const auto infos = FlightInfoBuilder::Make({}).ValueOrDie();
  const DatasetDescription dataset = Described();
  for (auto _ : state)
    benchmark::DoNotOptimize(infos.ForListing(dataset, Timestamp()).ValueOrDie());
}
BENCHMARK(ForListing);

void DecodeItsTicket(benchmark::State& state) {
  TicketContents contents;
  contents.read.dataset = "many-00000.parquet";
  contents.read.version = std::string(32, '7');
  contents.read.limit_rows = 1000;
  const std::string ticket = EncodeTicket(contents);
  for (auto _ : state) benchmark::DoNotOptimize(DecodeTicket(ticket).ValueOrDie());
}
BENCHMARK(DecodeItsTicket);

}  // namespace
}  // namespace hangar
