// The C++ client of the benchmark. It reads, writes or probes any Flight server and prints one JSON
// object of what it saw; all times are in seconds, measured on a connection that is up.
//
//   flight_client get URI DATASET [--command JSON] [--repeat N] [--connections N] [--checksum]
//                                 [--first-batch]
//   flight_client swarm URI DATASET --clients N [--seconds S]
//   flight_client put URI DATASET FILE.arrow [--bytes N]
//   flight_client info URI DATASET --calls N
//   flight_client ticket URI DATASET --calls N
//   flight_client list URI --repeat N

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <arrow/array.h>
#include <arrow/flight/client.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type_traits.h>
#include <arrow/util/bit_util.h>
#include <nlohmann/json.hpp>

namespace hangar::bench {
namespace {

namespace flight = arrow::flight;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// What the command line asks for; each operation uses its part.
struct Request {
  std::string uri;
  std::string dataset;
  std::string command;  // a CMD descriptor, in place of the PATH that the dataset makes
  std::string file;
  int repeat = 1;
  int connections = 1;  // the endpoints of a FlightInfo are read by so many at once
  int clients = 1;
  int calls = 1;
  double seconds = 0;  // 0: each client reads everything once
  int64_t bytes = 0;   // 0: the file once; else its batches over and over, so many bytes at least
  bool checksum = false;
  bool first_batch_only = false;

  flight::FlightDescriptor Descriptor() const {
    return command.empty() ? flight::FlightDescriptor::Path({dataset})
                           : flight::FlightDescriptor::Command(command);
  }
};

// A client whose connection is up. Connecting is tried again, because gRPC before 1.61 may
// overwrite errno between connect() and looking at it (grpc/grpc pull request 35064), and then
// fails for no reason; a channel that failed waits before it tries again, so each try is a new
// client.
arrow::Result<std::unique_ptr<flight::FlightClient>> Connect(const std::string& uri) {
  constexpr int kTries = 10;
  ARROW_ASSIGN_OR_RAISE(const auto location, flight::Location::Parse(uri));
  for (int i = 1;; ++i) {
    ARROW_ASSIGN_OR_RAISE(auto client, flight::FlightClient::Connect(location));
    // A channel connects with its first call; whether the server has that call is no matter.
    const arrow::Status called = client->ListActions().status();
    const auto detail = flight::FlightStatusDetail::UnwrapStatus(called);
    const bool unavailable =
        detail != nullptr && detail->code() == flight::FlightStatusCode::Unavailable;
    if (!unavailable) return client;
    if (i == kTries) return called;
  }
}

// The sum of the 64-bit words of the first column that has such, nulls aside, modulo 2^64. It does
// not depend on where one batch ends and the next begins.
uint64_t Checksum(const arrow::RecordBatch& batch) {
  for (const auto& column : batch.columns()) {
    const auto id = column->type_id();
    if (!arrow::is_primitive(id) || arrow::bit_width(id) != 64) continue;
    const auto* words = column->data()->GetValues<uint64_t>(1);
    uint64_t sum = 0;
    for (int64_t row = 0; row < column->length(); ++row) {
      if (column->IsValid(row)) sum += words[row];
    }
    return sum;
  }
  return 0;
}

struct Read {
  double first_batch_seconds = 0;
  double seconds = 0;
  int64_t rows = 0;
  int64_t batches = 0;
  uint64_t checksum = 0;

  json ToJson() const {
    return {{"first_batch_seconds", first_batch_seconds},
            {"seconds", seconds},
            {"rows", rows},
            {"batches", batches},
            {"checksum", checksum}};
  }
};

// Reads one ticket to its end, or to the first batch; times count from `begin`. Stops early, with
// what it has, once `stop` is true.
arrow::Result<Read> ReadTicket(flight::FlightClient& client, const flight::Ticket& ticket,
                               const Request& request, Clock::time_point begin,
                               const std::atomic<bool>* stop = nullptr) {
  Read read;
  ARROW_ASSIGN_OR_RAISE(const auto reader, client.DoGet(ticket));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const flight::FlightStreamChunk chunk, reader->Next());
    if (chunk.data == nullptr) break;
    if (read.batches == 0) read.first_batch_seconds = SecondsSince(begin);
    ++read.batches;
    read.rows += chunk.data->num_rows();
    if (request.checksum) read.checksum += Checksum(*chunk.data);
    if (request.first_batch_only || (stop != nullptr && stop->load())) {
      reader->Cancel();
      break;
    }
  }
  read.seconds = SecondsSince(begin);
  return read;
}

using Connections = std::vector<std::unique_ptr<flight::FlightClient>>;

// Asks for the FlightInfo and reads all its endpoints, each connection every n-th of them.
arrow::Result<Read> ReadAll(const Connections& connections, const Request& request) {
  const auto begin = Clock::now();
  ARROW_ASSIGN_OR_RAISE(const auto info, connections[0]->GetFlightInfo(request.Descriptor()));
  const auto& endpoints = info->endpoints();
  if (connections.size() == 1 && endpoints.size() == 1) {
    return ReadTicket(*connections[0], endpoints[0].ticket, request, begin);
  }
  std::vector<arrow::Result<Read>> parts(endpoints.size(), Read{});
  {
    std::vector<std::jthread> threads;
    for (size_t first = 0; first < connections.size(); ++first) {
      threads.emplace_back([&, first] {
        for (size_t i = first; i < endpoints.size(); i += connections.size()) {
          parts[i] = ReadTicket(*connections[first], endpoints[i].ticket, request, begin);
        }
      });
    }
  }
  Read whole;
  for (const auto& result : parts) {
    ARROW_ASSIGN_OR_RAISE(const Read part, result);
    whole.first_batch_seconds = whole.batches == 0
                                    ? part.first_batch_seconds
                                    : std::min(whole.first_batch_seconds, part.first_batch_seconds);
    whole.rows += part.rows;
    whole.batches += part.batches;
    whole.checksum += part.checksum;
  }
  whole.seconds = SecondsSince(begin);
  return whole;
}

arrow::Result<json> Get(const Request& request) {
  Connections connections(static_cast<size_t>(request.connections));
  for (auto& connection : connections) {
    ARROW_ASSIGN_OR_RAISE(connection, Connect(request.uri));
  }
  json reads = json::array();
  for (int i = 0; i < request.repeat; ++i) {
    ARROW_ASSIGN_OR_RAISE(const Read read, ReadAll(connections, request));
    reads.push_back(read.ToJson());
  }
  return json{{"reads", reads}};
}

struct SwarmClient {
  int64_t rows = 0;
  std::vector<double> first_batch_seconds;
  arrow::Status status;
};

arrow::Status ReadUntil(flight::FlightClient& client, const Request& request,
                        const std::atomic<bool>& stop, SwarmClient* seen) {
  do {
    const auto begin = Clock::now();
    ARROW_ASSIGN_OR_RAISE(const auto info, client.GetFlightInfo(request.Descriptor()));
    ARROW_ASSIGN_OR_RAISE(const Read read,
                          ReadTicket(client, info->endpoints()[0].ticket, request, begin, &stop));
    seen->rows += read.rows;
    seen->first_batch_seconds.push_back(read.first_batch_seconds);
  } while (request.seconds > 0 && !stop);
  return arrow::Status::OK();
}

// Many clients at once, each on a connection of its own, all beginning together.
arrow::Result<json> Swarm(const Request& request) {
  Connections connections(static_cast<size_t>(request.clients));
  for (auto& connection : connections) {
    ARROW_ASSIGN_OR_RAISE(connection, Connect(request.uri));
  }
  std::vector<SwarmClient> clients(connections.size());
  std::atomic<bool> stop = false;
  std::barrier start(request.clients + 1);
  Clock::time_point begin;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < connections.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        clients[i].status = ReadUntil(*connections[i], request, stop, &clients[i]);
      });
    }
    begin = Clock::now();
    start.arrive_and_wait();
    if (request.seconds > 0) {
      std::this_thread::sleep_for(std::chrono::duration<double>(request.seconds));
      stop = true;
    }
  }
  json result{{"seconds", SecondsSince(begin)}, {"clients", json::array()}};
  for (const auto& client : clients) {
    ARROW_RETURN_NOT_OK(client.status);
    result["clients"].push_back(
        {{"rows", client.rows}, {"first_batch_seconds", client.first_batch_seconds}});
  }
  return result;
}

int64_t BodyBytes(const arrow::ArrayData& data) {
  int64_t bytes = 0;
  for (const auto& buffer : data.buffers) bytes += buffer == nullptr ? 0 : buffer->size();
  for (const auto& child : data.child_data) bytes += BodyBytes(*child);
  return bytes;
}

arrow::Result<json> Put(const Request& request) {
  // Read into memory first, as what is measured is the server.
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::ReadableFile::Open(request.file));
  ARROW_ASSIGN_OR_RAISE(const auto source, arrow::ipc::RecordBatchFileReader::Open(file));
  ARROW_ASSIGN_OR_RAISE(const auto batches, source->ToRecordBatches());
  std::vector<int64_t> batch_bytes;
  for (const auto& batch : batches) {
    batch_bytes.push_back(0);
    for (const auto& column : batch->columns()) batch_bytes.back() += BodyBytes(*column->data());
  }
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(request.uri));

  int64_t rows = 0;
  int64_t bytes = 0;
  const auto begin = Clock::now();
  ARROW_ASSIGN_OR_RAISE(const auto put, client->DoPut(request.Descriptor(), source->schema()));
  do {
    for (size_t i = 0; i < batches.size(); ++i) {
      ARROW_RETURN_NOT_OK(put.writer->WriteRecordBatch(*batches[i]));
      rows += batches[i]->num_rows();
      bytes += batch_bytes[i];
    }
  } while (bytes < request.bytes && bytes > 0);
  ARROW_RETURN_NOT_OK(put.writer->Close());
  return json{{"seconds", SecondsSince(begin)}, {"rows", rows}, {"bytes", bytes}};
}

// Times `calls` calls one after the other, each on the same connection.
template <typename Call>
arrow::Result<json> TimeCalls(int calls, const Call& call) {
  std::vector<double> seconds;
  for (int i = 0; i < calls; ++i) {
    const auto begin = Clock::now();
    ARROW_RETURN_NOT_OK(call());
    seconds.push_back(SecondsSince(begin));
  }
  return json{{"seconds", seconds}};
}

arrow::Result<json> Info(const Request& request) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(request.uri));
  return TimeCalls(request.calls,
                   [&] { return client->GetFlightInfo(request.Descriptor()).status(); });
}

// Redeems the ticket of one FlightInfo again and again.
arrow::Result<json> Redeem(const Request& request) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(request.uri));
  ARROW_ASSIGN_OR_RAISE(const auto info, client->GetFlightInfo(request.Descriptor()));
  const flight::Ticket& ticket = info->endpoints()[0].ticket;
  int64_t rows = 0;
  ARROW_ASSIGN_OR_RAISE(json result, TimeCalls(request.calls, [&]() -> arrow::Status {
                          ARROW_ASSIGN_OR_RAISE(const Read read,
                                                ReadTicket(*client, ticket, request, Clock::now()));
                          rows += read.rows;
                          return arrow::Status::OK();
                        }));
  result["rows"] = rows;
  return result;
}

arrow::Result<json> List(const Request& request) {
  ARROW_ASSIGN_OR_RAISE(const auto client, Connect(request.uri));
  int64_t datasets = 0;
  ARROW_ASSIGN_OR_RAISE(json result, TimeCalls(request.repeat, [&]() -> arrow::Status {
                          datasets = 0;
                          ARROW_ASSIGN_OR_RAISE(const auto listing, client->ListFlights());
                          while (true) {
                            ARROW_ASSIGN_OR_RAISE(const auto info, listing->Next());
                            if (info == nullptr) return arrow::Status::OK();
                            ++datasets;
                          }
                        }));
  result["datasets"] = datasets;
  return result;
}

using Operation = arrow::Result<json> (*)(const Request&);

CLI::App* AddOperation(CLI::App& app, const std::string& name, Operation operation,
                       Request* request, Operation* chosen) {
  CLI::App* command = app.add_subcommand(name);
  command->add_option("uri", request->uri)->required();
  command->callback([operation, chosen] { *chosen = operation; });
  if (name == "list") return command;
  command->add_option("dataset", request->dataset)->required();
  command->add_option("--command", request->command);
  return command;
}

int Main(int argc, char** argv) {
  CLI::App app("A Flight client that measures");
  app.require_subcommand(1);
  Request request;
  Operation operation = nullptr;
  const auto add = [&](const std::string& name, Operation called) {
    return AddOperation(app, name, called, &request, &operation);
  };
  CLI::App* get = add("get", Get);
  get->add_option("--repeat", request.repeat);
  get->add_option("--connections", request.connections);
  get->add_flag("--checksum", request.checksum);
  get->add_flag("--first-batch", request.first_batch_only);
  CLI::App* swarm = add("swarm", Swarm);
  swarm->add_option("--clients", request.clients);
  swarm->add_option("--seconds", request.seconds);
  CLI::App* put = add("put", Put);
  put->add_option("file", request.file)->required();
  put->add_option("--bytes", request.bytes);
  add("info", Info)->add_option("--calls", request.calls);
  add("ticket", Redeem)->add_option("--calls", request.calls);
  add("list", List)->add_option("--repeat", request.repeat);
  CLI11_PARSE(app, argc, argv);

  const arrow::Result<json> result = operation(request);
  if (!result.ok()) {
    std::cerr << "flight_client: " << result.status().ToString() << "\n";
    return 1;
  }
  std::cout << *result << "\n";
  return 0;
}

}  // namespace
}  // namespace hangar::bench

int main(int argc, char** argv) { return hangar::bench::Main(argc, argv); }
