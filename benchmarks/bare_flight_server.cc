// Bare Flight, the ceiling of the benchmark: a server that does nothing but transport.
//
//   bare_flight_server FOLDER
//
// At start it reads every Parquet file of the folder into record batches of about 1 MiB, which it
// then sends again and again from memory. What is put is received and thrown away. It listens on a
// free port of 127.0.0.1, which its first line on standard output names.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <arrow/flight/server.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/reader.h>

namespace hangar::bench {
namespace {

namespace flight = arrow::flight;

constexpr int64_t kBatchBytes = 1 << 20;

struct Dataset {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;
  int64_t rows;
};

arrow::Result<Dataset> Load(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path));
  ARROW_ASSIGN_OR_RAISE(auto reader, parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  reader->set_use_threads(true);
  std::shared_ptr<arrow::Table> table;
  ARROW_ASSIGN_OR_RAISE(table, reader->ReadTable());
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*table));
  const int64_t row_bytes = std::max<int64_t>(1, bytes / std::max<int64_t>(1, table->num_rows()));
  arrow::TableBatchReader slicer(*table);
  slicer.set_chunksize(std::max<int64_t>(1, kBatchBytes / row_bytes));
  ARROW_ASSIGN_OR_RAISE(auto batches, slicer.ToRecordBatches());
  return Dataset{table->schema(), std::move(batches), table->num_rows()};
}

// Its datasets are complete before it listens and do not change, so that the handlers share them.
class BareFlightServer : public flight::FlightServerBase {
 public:
  arrow::Status Add(const std::string& name, const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(Dataset dataset, Load(path));
    flight::FlightEndpoint endpoint;
    endpoint.ticket.ticket = name;
    ARROW_ASSIGN_OR_RAISE(
        auto info, flight::FlightInfo::Make(*dataset.schema, flight::FlightDescriptor::Path({name}),
                                            {endpoint}, dataset.rows, /*total_bytes=*/-1));
    infos_.push_back(std::move(info));
    datasets_.emplace(name, std::move(dataset));
    return arrow::Status::OK();
  }

  arrow::Status ListFlights(const flight::ServerCallContext&, const flight::Criteria*,
                            std::unique_ptr<flight::FlightListing>* listing) override {
    *listing = std::make_unique<flight::SimpleFlightListing>(infos_);
    return arrow::Status::OK();
  }

  arrow::Status GetFlightInfo(const flight::ServerCallContext&,
                              const flight::FlightDescriptor& descriptor,
                              std::unique_ptr<flight::FlightInfo>* found) override {
    for (const auto& info : infos_) {
      if (info.descriptor() == descriptor) {
        *found = std::make_unique<flight::FlightInfo>(info);
        return arrow::Status::OK();
      }
    }
    return arrow::Status::KeyError("no such dataset");
  }

  arrow::Status DoGet(const flight::ServerCallContext&, const flight::Ticket& ticket,
                      std::unique_ptr<flight::FlightDataStream>* stream) override {
    const auto dataset = datasets_.find(ticket.ticket);
    if (dataset == datasets_.end()) return arrow::Status::KeyError("no such dataset");
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make(dataset->second.batches,
                                                                      dataset->second.schema));
    *stream = std::make_unique<flight::RecordBatchStream>(std::move(reader));
    return arrow::Status::OK();
  }

  arrow::Status DoPut(const flight::ServerCallContext&,
                      std::unique_ptr<flight::FlightMessageReader> reader,
                      std::unique_ptr<flight::FlightMetadataWriter>) override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const flight::FlightStreamChunk chunk, reader->Next());
      if (chunk.data == nullptr) return arrow::Status::OK();
    }
  }

 private:
  std::vector<flight::FlightInfo> infos_;
  std::map<std::string, Dataset> datasets_;
};

arrow::Status Serve(const std::string& folder) {
  BareFlightServer server;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    ARROW_RETURN_NOT_OK(server.Add(entry.path().filename().string(), entry.path().string()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::ForGrpcTcp("127.0.0.1", 0));
  ARROW_RETURN_NOT_OK(server.Init(flight::FlightServerOptions(location)));
  std::cout << "listening on grpc://127.0.0.1:" << server.port() << std::endl;
  return server.Serve();
}

}  // namespace
}  // namespace hangar::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bare_flight_server FOLDER\n";
    return 2;
  }
  const arrow::Status status = hangar::bench::Serve(argv[1]);
  if (!status.ok()) std::cerr << "bare_flight_server: " << status.ToString() << "\n";
  return status.ok() ? 0 : 1;
}
