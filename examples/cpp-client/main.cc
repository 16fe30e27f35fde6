// Stores a small table on a Hangar server, lists what is there, reads two columns back in parallel
// and drops the table again. Usage: cpp-client [URI]

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <arrow/api.h>
#include <hangar/client.h>

namespace {

namespace client = hangar::client;

constexpr char kName[] = "examples/cpp-client.parquet";

arrow::Result<std::shared_ptr<arrow::Table>> MakeTable() {
  arrow::StringBuilder cities;
  arrow::DoubleBuilder degrees;
  ARROW_RETURN_NOT_OK(cities.AppendValues({"Oslo", "Lima", "Pune"}));
  ARROW_RETURN_NOT_OK(degrees.AppendValues({-3.5, 19.25, 31}));
  ARROW_ASSIGN_OR_RAISE(auto city, cities.Finish());
  ARROW_ASSIGN_OR_RAISE(auto degree, degrees.Finish());
  const auto schema = arrow::schema(
      {arrow::field("city", arrow::utf8()), arrow::field("degrees", arrow::float64())});
  return arrow::Table::Make(schema, {city, degree});
}

arrow::Status Store(const client::Client& hangar) {
  ARROW_ASSIGN_OR_RAISE(const auto table, MakeTable());
  arrow::TableBatchReader batches(table);
  ARROW_ASSIGN_OR_RAISE(const auto summary, hangar.Put(kName, batches, {}));
  std::cout << "stored " << summary.rows << " rows as " << summary.dataset << ", version "
            << summary.version << "\n";
  return arrow::Status::OK();
}

arrow::Status List(const client::Client& hangar) {
  client::ListOptions options;
  options.prefix = "examples/";
  const auto listing = hangar.List(options);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto dataset, listing->Next());
    if (!dataset) return arrow::Status::OK();
    std::cout << dataset->name << ": " << dataset->rows << " rows\n";
  }
}

arrow::Status Read(const client::Client& hangar) {
  client::GetOptions options;
  options.columns = {"degrees", "city"};
  options.partitions = 2;
  ARROW_ASSIGN_OR_RAISE(const auto stream, hangar.Get(kName, options));
  ARROW_ASSIGN_OR_RAISE(const auto table, stream.batches->ToTable());
  std::cout << table->ToString();
  return arrow::Status::OK();
}

arrow::Status Run(const std::string& uri) {
  ARROW_ASSIGN_OR_RAISE(const auto hangar, client::Client::Connect({uri}));
  ARROW_RETURN_NOT_OK(Store(*hangar));
  ARROW_RETURN_NOT_OK(List(*hangar));
  ARROW_RETURN_NOT_OK(Read(*hangar));
  return hangar->Drop(kName);
}

}  // namespace

int main(int argc, char** argv) {
  const arrow::Status status = Run(argc > 1 ? argv[1] : client::kDefaultUri);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << client::ErrorCode(status) << ": " << status.message() << "\n";
  return EXIT_FAILURE;
}
